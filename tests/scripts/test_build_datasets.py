import email
import hashlib
import re
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from scripts import build_datasets
from scripts.build_datasets import DATA, RECIPES, BadPackage, fetch_archive, fetch_command
from scripts.datasets import ad_review, bikes, campaign, credit_scoring, flight_delay, patient, penguins
from scripts.datasets.recipe import Package

MAIL = b"""From someone@x.org  Thu Aug 22 13:52:59 2002
Received: from a.x.org by b.x.org; Thu, 22 Aug 2002 08:52:58 -0400 (EDT)
Received: from c.x.org by a.x.org; Thu, 22 Aug 2002 12:00:00 +0000
X-Spam-Flag: YES
List-Id: <members.x.org>
From: =?iso-8859-1?q?J=F6rg?= <joerg@x.org>
To: zzzz@localhost
Subject: hello
  again
Date: Sun, 25 Aug 0102 10:36:36 -1000
Content-Type: multipart/alternative; boundary=cut

--cut
Content-Type: text/html

<b>html</b>
--cut
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

pl=E4in=00
--cut--
"""


@pytest.mark.parametrize(
    ("header", "sent_at"),
    [
        ("Thu, 22 Aug 2002 13:52:38 +0100", "2002-08-22T12:52:38Z"),
        ("Sun, 25 Aug 0102 10:36:36 -1000", "0102-08-25T20:36:36Z"),
        ("Thu, 22 Aug 102 00:07:35 +0800", "0102-08-21T16:07:35Z"),
        ("Wed, 04 Oct 2028 12:05:01 -0400", "2028-10-04T16:05:01Z"),
        ("22 Aug 02 13:52:38 GMT", "2002-08-22T13:52:38Z"),
        ("22 Aug 99 13:52:38 GMT", "1999-08-22T13:52:38Z"),
        ("Mon, 28 Jul 1980 14:01:35", "1980-07-28T14:01:35Z"),
        ("2002/09/14 Sat 02:29:32 CDT", "2002/09/14 Sat 02:29:32 CDT"),
        ("Thu, 31 Feb 2002 13:52:38 +0100", "Thu, 31 Feb 2002 13:52:38 +0100"),
        ("Fri, 31 Dec 9999 23:59:59 -0100", "Fri, 31 Dec 9999 23:59:59 -0100"),
        ("soon", "soon"),
        ("", ""),
        (None, None),
    ],
)
def test_a_sent_date_keeps_its_year_and_what_is_no_date_keeps_its_text(header, sent_at):
    assert ad_review.read_sent_at(header) == sent_at


def test_a_mail_arrived_when_its_topmost_hop_took_it_and_without_hops_never():
    hops = ["from a by b; Thu, 22 Aug 2002 08:52:58 -0400 (EDT)", "from c by a; Thu, 22 Aug 2002 01:00:00 +0000"]
    assert ad_review.read_arrived_at(hops) == "2002-08-22T12:52:58Z"
    assert ad_review.read_arrived_at(["from a by b"]) is None
    assert ad_review.read_arrived_at([]) is None


def test_a_mail_becomes_a_record_without_anything_that_a_filter_or_list_added():
    assert ad_review.make_record("m1", MAIL) == {
        "mail_id": "m1",
        "sent_at": "0102-08-25T20:36:36Z",
        "arrived_at": "2002-08-22T12:52:58Z",
        "sender": "Jörg <joerg@x.org>",
        "reply_to": None,
        "recipient": "zzzz@localhost",
        "subject": "hello again",
        "content_type": "multipart/alternative",
        "n_received_hops": 2,
        "body": "pläin",
    }


@pytest.mark.parametrize(
    ("headers", "body", "text"),
    [
        (b"Content-Type: text/html", b"<b>hi</b>", "<b>hi</b>"),
        (b"Content-Transfer-Encoding: base64", b"aGk=", "hi"),
        (b"Content-Type: text/plain; charset=utf-8", b"a\xffb", "a\ufffdb"),
        (b"Content-Type: text/plain; charset=us-ascii", b"\x80 5", "€ 5"),
        (b"Content-Type: text/plain; charset=no-such-charset", "ä".encode(), "ä"),
        (b"Content-Type: multipart/mixed", b"no parts", "no parts"),
        (b"Content-Type: text/plain", b"x" * 20_001, "x" * 20_000),
        (b"Content-Type: image/gif", b"GIF89a", None),
    ],
)
def test_a_body_is_the_first_text_as_it_claims_and_cut(headers, body, text):
    assert ad_review.read_body(email.message_from_bytes(headers + b"\n\n" + body)) == text


@pytest.mark.parametrize(
    ("header", "text"),
    [
        (b"=?utf-8?b?abcde?=", "=?utf-8?b?abcde?="),
        (b"=?nonsense?q?caf=C3=A9?=", "café"),
        (b"ADV: =?big5?b?pm6rrA==?= now", "ADV: 好型 now"),
        (b"caf\xe9", "café"),
        (b"50\\users =?utf-8?q?=C3=A9?=", "50\\users é"),
    ],
)
def test_a_header_reads_as_a_person_would_a_broken_one_stays(header, text):
    message = email.message_from_bytes(b"Subject: " + header + b"\n\n")
    assert ad_review.read_header(message, "Subject") == text


def test_only_the_spam_folders_are_unsolicited():
    folders = ["easy-ham-1", "easy-ham-2", "hard-ham-1", "spam-1", "spam-2"]
    assert [ad_review.label_of(folder) for folder in folders] == ["wanted"] * 3 + ["unsolicited"] * 2


@pytest.mark.parametrize(
    ("dollars", "variant"),
    [(0.0, "none"), (0.01, "small"), (0.9456, "small"), (0.999, "small"), (1.0, "large"), (2.8368, "large")],
)
def test_a_variant_is_the_size_of_its_incentive(dollars, variant):
    assert campaign.incentive_variant(dollars) == variant


@pytest.mark.parametrize("dollars", [-0.01, float("nan")])
def test_an_incentive_that_nobody_offered_is_refused(dollars):
    with pytest.raises(ValueError, match="allowed are 0 and more"):
        campaign.incentive_variant(dollars)


def test_ten_people_are_invited_four_in_the_pilot_and_six_after_it():
    times = [moment.strftime("%d %H:%M") for moment in campaign.invitation_times(10)]
    pilot = ["01 06:00", "02 06:00", "03 06:00", "04 06:00"]
    rest = ["07 06:00", "07 10:30", "08 06:00", "09 06:00", "09 10:30", "10 06:00"]
    assert times == pilot + rest


def test_arrivals_come_one_to_forty_hours_after_the_invitation_and_the_same_every_time():
    delays = [campaign.arrival_delay(f"p{row:04d}") for row in range(1, 4_821)]
    assert timedelta(hours=1) <= min(delays) < timedelta(hours=2)
    assert timedelta(hours=39) < max(delays) <= timedelta(hours=40)
    assert campaign.arrival_delay("p0001") == delays[0]


def make_people(**columns):
    valid = {"got": [1.0], "tinc": [0.9456], "distvct": [2.5], "age": [30.0], "villnum": [7.0]}
    return pd.DataFrame(valid | columns)


def test_a_person_without_a_known_incentive_is_left_out_and_shifts_nobody():
    three = {name: values * 3 for name, values in make_people().to_dict("list").items()}
    people = pd.DataFrame(three | {"tinc": [0.0, None, 1.5]})
    assert campaign.keep_known(people)["person_id"].tolist() == ["p0001", "p0003"]


def test_who_came_has_two_records_and_who_did_not_has_one():
    came = campaign.make_events(campaign.keep_known(make_people()))
    stayed = campaign.make_events(campaign.keep_known(make_people(got=[0.0], age=[None])))
    assert [event["event_id"] for event in came] == ["invited-p0001", "came-p0001"]
    assert [(event["event"], event["variant"], event["age_years"]) for event in stayed] == [("invited", "small", None)]


def test_the_study_s_test_result_is_in_no_record():
    assert not [name for name in campaign.EVENTS.schema.names if "hiv" in name]


def make_logs(weather_hour="2013-04-01T02:00:00Z"):
    flights = (
        "year,month,day,dep_time,dep_delay,arr_delay,carrier,flight,tailnum,origin,dest,distance,hour,minute,time_hour\n"
        "2013,3,31,2207,2,-9,UA,15,N1,EWR,IAH,1400,22,5,2013-04-01T02:00:00Z\n"
        "2013,3,31,NA,NA,NA,AA,7,NA,JFK,MIA,1089,22,30,2013-04-01T02:00:00Z\n"
    )
    weather = (
        "origin,year,month,day,hour,temp,dewp,humid,wind_dir,wind_speed,wind_gust,precip,pressure,visib,time_hour\n"
        f"EWR,2013,3,31,22,39.02,26.06,59.37,270,10.357,NA,0,1012,10,{weather_hour}\n"
    )
    return flight_delay.read_log(flights.encode()), flight_delay.read_log(weather.encode())


def test_a_sunday_evening_flight_keeps_its_day_and_its_airports_weather():
    late, cancelled = flight_delay.join_weather(*make_logs()).to_pylist()
    assert (late["flight_id"], late["scheduled_at"]) == ("UA15-EWR-20130401T0205Z", "2013-04-01T02:05:00Z")
    assert (late["month_local"], late["weekday"], late["scheduled_hour_local"]) == (3, 7, 22)
    assert (late["temperature_f"], late["wind_gust_mph"], late["is_cancelled"]) == (39.02, None, False)
    assert (cancelled["temperature_f"], cancelled["tail_number"], cancelled["is_cancelled"]) == (None, None, True)


def test_weather_of_another_hour_is_not_used():
    late, _ = flight_delay.join_weather(*make_logs(weather_hour="2013-03-31T22:00:00Z")).to_pylist()
    assert late["temperature_f"] is None


def test_a_flight_that_would_be_doubled_is_refused():
    flights, weather = make_logs()
    with pytest.raises(ValueError, match="2 flights became 3 rows with 2 ids"):
        flight_delay.join_weather(flights, weather.take([0, 0]))


def make_package(**changes):
    return Package(
        **({"client": "pip", "name": "x", "version": "1", "archive": "x-1.tar.gz", "sha256": "0" * 64} | changes)
    )


def test_an_archive_that_is_there_is_used_another_one_refused(tmp_path):
    archive = tmp_path / "x-1.tar.gz"
    archive.write_bytes(b"the real one")
    package = make_package(sha256=hashlib.sha256(b"the real one").hexdigest())
    assert fetch_archive(package, tmp_path) == archive
    archive.write_bytes(b"another one")
    with pytest.raises(BadPackage, match=r"x-1\.tar\.gz has SHA-256 [0-9a-f]{64}, expected"):
        fetch_archive(package, tmp_path)


def test_a_client_that_fails_is_quoted(tmp_path, monkeypatch):
    monkeypatch.setattr(build_datasets, "fetch_command", lambda *_: ["sh", "-c", "echo no such version >&2; exit 1"])
    with pytest.raises(BadPackage, match=r"pip did not bring .* no such version"):
        fetch_archive(make_package(), tmp_path)


def test_each_client_is_asked_for_exactly_the_pinned_version():
    assert fetch_command(make_package(), Path("f"))[-1] == "x==1"
    assert "--no-binary" in fetch_command(make_package(), Path("f"))
    assert "--only-binary" in fetch_command(make_package(archive="x-1-py3-none-any.whl"), Path("f"))
    assert fetch_command(make_package(client="npm", name="@a/x"), Path("f"))[2] == "@a/x@1"


@pytest.mark.parametrize(
    ("file", "n_rows"),
    [
        ("ad_review/mail.parquet", 6_046),
        ("ad_review/truth.parquet", 6_046),
        ("flight_delay/flights.parquet", 336_776),
        ("campaign/events.parquet", 4_790),
        ("penguins/penguins.parquet", 344),
        ("penguins/truth.parquet", 344),
        ("credit_scoring/applications.parquet", 1_000),
        ("patient/visits.parquet", 1_629),
        ("bikes/hours.parquet", 8_645),
    ],
)
def test_a_shipped_file_has_all_its_rows(file, n_rows):
    assert pq.read_metadata(DATA / file).num_rows == n_rows


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=list(RECIPES))
def test_a_source_page_names_the_checksum_and_columns_of_every_shipped_file(recipe):
    page = (DATA / recipe.problem / "SOURCE.md").read_text(encoding="utf-8")
    assert recipe.package.sha256 in page
    for file in recipe.files:
        path = DATA / recipe.problem / file.name
        assert hashlib.sha256(path.read_bytes()).hexdigest() in page
        assert pq.read_schema(path).equals(file.schema)
        assert set(file.schema.names) <= set(re.findall(r"^\| `([^`]+)`", page, flags=re.MULTILINE))


def test_every_mail_has_one_label_and_its_place_does_not_tell_it():
    truth = pq.read_table(DATA / "ad_review" / "truth.parquet")
    mail_ids = pq.read_table(DATA / "ad_review" / "mail.parquet", columns=["mail_id"]).column("mail_id").to_pylist()
    labels = truth.column("label").to_pylist()
    assert Counter(labels) == {"wanted": 4_150, "unsolicited": 1_896}
    assert sorted(mail_ids) == sorted(set(truth.column("mail_id").to_pylist()))
    # Four standard deviations of a draw without order: 4 * sqrt(3023 * .3136 * .6864 / 2) rows in either half.
    assert labels[:3_023].count("unsolicited") == pytest.approx(948, abs=72)


def test_the_impossible_years_are_all_there():
    sent_at = pq.read_table(DATA / "ad_review" / "mail.parquet", columns=["sent_at"]).column("sent_at").to_pylist()
    years = Counter(text[:4] for text in sent_at)
    assert (years["0102"], years["1980"], years["2020"], years["2028"]) == (62, 4, 2, 1)
    assert sum(not text.endswith("Z") for text in sent_at) == 2


def test_every_flight_has_an_id_of_its_own():
    flights = pq.read_table(DATA / "flight_delay" / "flights.parquet", columns=["flight_id", "arr_delay_minutes"])
    assert len(flights.column("flight_id").unique()) == 336_776
    assert flights.column("arr_delay_minutes").null_count == 9_430


def test_the_campaign_holds_everybody_known_once_and_every_day_has_an_event():
    events = pq.read_table(DATA / "campaign" / "events.parquet").to_pylist()
    invited = [event for event in events if event["event"] == "invited"]
    came = {event["person_id"] for event in events if event["event"] == "came"}
    assert Counter(event["variant"] for event in invited) == {"none": 623, "small": 1_140, "large": 1_071}
    assert len({event["person_id"] for event in invited}) == 2_834
    assert len(came) == 1_956
    assert {event["event_at"][:10] for event in events} == {f"2004-11-{day:02d}" for day in range(1, 13)}
    assert {event["event_at"][8:10] for event in invited} == {"01", "02", "03", "04", "07", "08", "09", "10"}


def make_bird(**changes):
    return {"studyName": "PAL0708", "Species": "Adelie Penguin (Pygoscelis adeliae)", "Sample Number": "1"} | {
        "Date Egg": "2007-11-11",
        "Sex": "NA",
        **changes,
    }


def test_birds_are_numbered_by_day_and_mixed_within_it():
    days = ["2007-11-12", *["2007-11-11"] * 9]
    birds = [make_bird(**{"Sample Number": str(place), "Date Egg": day}) for place, day in enumerate(days)]
    numbered = penguins.number_birds(birds)
    assert [bird["sample_id"] for bird in numbered] == [f"p{number:03d}" for number in range(1, 11)]
    order = [int(bird["Sample Number"]) for bird in numbered]
    assert (order[-1], sorted(order[:-1])) == (0, list(range(1, 10)))
    assert order[:-1] != sorted(order[:-1])
    assert numbered[0]["Sex"] is None
    assert penguins.number_birds(birds[::-1]) == numbered


def test_no_record_of_a_bird_tells_its_species():
    book = pq.read_table(DATA / "penguins" / "penguins.parquet").to_pylist()
    told = " ".join(str(value) for bird in book for value in bird.values()).lower()
    assert not [name for name in ("adelie", "chinstrap", "gentoo", "pygoscelis") if name in told]
    truth = pq.read_table(DATA / "penguins" / "truth.parquet").column("label").to_pylist()
    assert Counter(truth) == {"Adelie": 152, "Chinstrap": 68, "Gentoo": 124}
    assert penguins.species_of("Gentoo penguin (Pygoscelis papua)") == "Gentoo"


def test_the_last_fifth_of_the_applications_is_a_delivery_of_its_own():
    assert Counter(credit_scoring.name_deliveries(1_000)) == {"applications_1994-10": 800, "applications_1994-11": 200}
    rows = pq.read_table(DATA / "credit_scoring" / "applications.parquet")
    assert Counter(rows.column("creditability").to_pylist()) == {"good": 700, "bad": 300}


def test_gaps_of_a_visit_stay_gaps_and_no_date_of_death_is_told():
    people = pd.DataFrame({column.name: [1.0, None] for column in patient.VISITS.columns}).assign(seqn=[233.0, 235.0])
    whole, gap = patient.make_visits(people.assign(yrdth=[85.0, None])).to_pylist()
    assert (whole["seqn"], whole["sbp"], gap["sbp"], gap["wt82"]) == ("233", 1, None, None)
    assert not {"yrdth", "modth", "dadth"} & whole.keys()
    shipped = pq.read_table(DATA / "patient" / "visits.parquet")
    assert Counter(shipped.column("death").to_pylist()) == {0: 1_311, 1: 318}


def make_hours(**changes):
    """Write two hours of the package's table as it has them."""
    hour = {"season": 1, "mnth": "Jan", "day": 1, "hr": 0, "holiday": 0, "weekday": 6, "workingday": 0}
    hour |= {"weathersit": "clear", "temp": 0.24, "atemp": 0.2879, "hum": 0.81, "windspeed": 0.0}
    hour |= {"casual": 3, "registered": 13, "bikers": 16}
    rows = [hour, hour | {"hr": 1} | changes]
    lines = [",".join(f'"{value}"' for value in row.values()) for row in rows]
    return "\n".join([",".join(hour), *lines]).encode()


def test_an_hour_keeps_the_words_and_numbers_of_the_package():
    rows = bikes.read_hours(make_hours()).to_pylist()
    assert [(row["day"], row["hr"], row["bikers"], row["weathersit"]) for row in rows] == [
        (1, 0, 16, "clear"),
        (1, 1, 16, "clear"),
    ]


@pytest.mark.parametrize("changes", [{"mnth": "Feb"}, {"weekday": 0}, {"hr": 0}, {"day": 366}])
def test_an_hour_that_contradicts_the_calendar_is_refused_and_named(changes):
    with pytest.raises(ValueError, match=r"Row 1 of ISLP/data/Bikeshare.csv, \{'day'"):
        bikes.read_hours(make_hours(**changes))
