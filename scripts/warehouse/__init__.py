"""What is written from the warehouse's tables, the views' files and the contract: a page, a semantic model, dbt files.

What does not belong here: what tables and views say. `python -m scripts.warehouse` writes all of it.
"""
