from __future__ import annotations

from dashboards.figures.ranking import BARS_MAX, Bar, height_of, ranking
from dashboards.theme import LIGHT


def test_the_longest_bar_is_on_top_and_says_its_value() -> None:
    made = ranking([Bar(label="a", value=1_000), Bar(label="b", value=2_500)], unit="Bytes", palette=LIGHT)
    bars = made.data[0]
    assert list(bars.x) == [1_000, 2_500]  # drawn from the bottom
    assert list(bars.text) == ["1 KB", "2.5 KB"]
    assert [text.strip() for text in made.layout.yaxis.ticktext] == ["a", "b"]


def test_only_the_longest_are_drawn() -> None:
    made = ranking([Bar(label=str(number), value=number) for number in range(50)], unit="Count", palette=LIGHT)
    assert list(made.data[0].x) == list(range(50 - BARS_MAX, 50))


def test_two_bars_of_one_label_stay_two() -> None:
    assert len(ranking([Bar(label="a", value=1)] * 2, unit="Count", palette=LIGHT).data[0].y) == 2


def test_a_long_label_is_cut_and_whole_in_the_hover_text() -> None:
    made = ranking([Bar(label="x" * 80, value=1)], unit="Count", palette=LIGHT)
    assert made.layout.yaxis.ticktext[0].strip().endswith("…")
    assert "x" * 80 in made.data[0].hovertext[0]


def test_a_label_is_shown_as_it_is_and_not_as_markup() -> None:
    made = ranking([Bar(label='<a href="https://evil.example">x</a>&', value=1, detail="<b>")], unit="Count", palette=LIGHT)
    assert made.layout.yaxis.ticktext[0].strip() == '&lt;a href="https://evil.example"&gt;x&lt;/a&gt;&amp;'
    assert made.data[0].hovertext[0] == '<b>&lt;a href="https://evil.example"&gt;x&lt;/a&gt;&amp;</b><br>&lt;b&gt;'


def test_no_bars_are_no_data_with_a_sentence() -> None:
    made = ranking([], unit="Count", palette=LIGHT, nothing="The gateway refused nothing")
    assert made.layout.meta["picture"] == "no data"
    assert "The gateway refused nothing" in made.layout.annotations[0].text


def test_height_grows_with_the_bars_and_not_without_end() -> None:
    heights = [height_of([Bar(label="a", value=1)] * number) for number in (0, 4, 8, 10, 1000)]
    assert heights == sorted(heights)
    assert heights[-1] == heights[-2]
