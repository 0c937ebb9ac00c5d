"""Great Expectations as this house uses it: imported once for each process, quiet, and never on the network.

Importing this module takes seconds; `steps.py` does so inside its functions. What does not belong here: what is asked.
"""

import logging
import warnings

with warnings.catch_warnings():
    # It imports modules that Python 3.11 deprecates, and Spark, where it is installed, which warns of pandas 3; nobody
    # here can mend that.
    warnings.simplefilter("ignore", DeprecationWarning)
    warnings.simplefilter("ignore", FutureWarning)
    import great_expectations as gx
    import great_expectations.expectations as gxe
    from great_expectations.data_context.data_context.ephemeral_data_context import EphemeralDataContext
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
    from great_expectations.render.view.view import DefaultJinjaSectionView

# Hundreds of INFO lines for each partition once Airflow has set up logging.
logging.getLogger("great_expectations").setLevel(logging.WARNING)

__all__ = ["DefaultJinjaSectionView", "ValidationResultsPageRenderer", "gx", "gxe", "open_context"]


def open_context() -> EphemeralDataContext:
    """Open a context that leaves no file and sends nothing: usage statistics are off before it exists."""
    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        analytics_enabled=False,
        progress_bars=ProgressBarsConfig(globally=False, metric_calculations=False),
    )
    return gx.get_context(mode="ephemeral", project_config=config)
