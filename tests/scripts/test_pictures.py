from PIL import Image, ImageDraw

from scripts.pictures import shrink


def test_a_page_of_few_colours_looks_the_same_in_fewer_bytes(tmp_path):
    path = tmp_path / "page.png"
    picture = Image.new("RGB", (400, 300), "white")
    ImageDraw.Draw(picture).multiline_text((5, 5), "\n".join(["The Reports page inside Airflow"] * 12), "#1f6fb2")
    picture.save(path)
    n_bytes = path.stat().st_size
    shrink(path)
    assert path.stat().st_size < n_bytes
    with Image.open(path) as small:
        assert small.size == (400, 300)
        assert small.convert("RGB").getcolors(256) == picture.getcolors(256)
