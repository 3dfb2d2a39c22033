use super::{CatchUp, DAY_MS, MINUTE_MS, Plan, Schedule, ScheduleSpec, When};
use jiff::Timestamp;
use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

const HOUR_MS: u64 = 60 * MINUTE_MS;
const SEED: u64 = 4_711;

fn ms(text: &str) -> u64 {
    text.parse::<Timestamp>().unwrap().as_millisecond().try_into().unwrap()
}

fn text(ms: u64) -> String {
    Timestamp::from_millisecond(ms.try_into().unwrap()).unwrap().to_string()
}

fn cron(pattern: &str, zone: &str) -> ScheduleSpec {
    let when = When::Cron { pattern: pattern.into(), zone: zone.into() };
    ScheduleSpec { when, jitter_ms: 0, catch_up: CatchUp::Once }
}

fn every(interval_ms: u64, from_ms: u64) -> ScheduleSpec {
    ScheduleSpec { when: When::Every { interval_ms, from_ms }, jitter_ms: 0, catch_up: CatchUp::Once }
}

fn schedule(spec: &ScheduleSpec) -> Schedule {
    Schedule::new(spec, ms("2024-01-01T00:00:00Z")).unwrap()
}

/// Pattern, zone, after which time, and the next ones.
const TIMES: [(&str, &str, &str, &[&str]); 14] = [
    ("0 6 * * MON-FRI", "UTC", "2026-11-27T06:00:00Z", &["2026-11-30T06:00:00Z", "2026-12-01T06:00:00Z"]),
    ("*/15 * * * *", "UTC", "2026-11-27T06:01:00Z", &["2026-11-27T06:15:00Z", "2026-11-27T06:30:00Z"]),
    // 02:30 is left out in Berlin on 29 March 2026: it runs at 03:00 summer time, once, and the next day at its time.
    (
        "30 2 * * *",
        "Europe/Berlin",
        "2026-03-28T12:00:00Z",
        &["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"],
    ),
    // 02:30 comes twice on 25 October 2026: it runs at the first.
    (
        "30 2 * * *",
        "Europe/Berlin",
        "2026-10-24T12:00:00Z",
        &["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"],
    ),
    // Every hour that there is, also the one that comes twice.
    (
        "0 * * * *",
        "Europe/Berlin",
        "2026-10-24T23:30:00Z",
        &["2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"],
    ),
    ("0 * * * *", "Europe/Berlin", "2026-03-29T00:30:00Z", &["2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"]),
    // Midnight is left out in Beirut.
    ("0 0 * * *", "Asia/Beirut", "2026-03-28T12:00:00Z", &["2026-03-28T22:00:00Z", "2026-03-29T21:00:00Z"]),
    // Half an hour of summer time, in the south.
    (
        "15 2 * * *",
        "Australia/Lord_Howe",
        "2026-10-03T12:00:00Z",
        &["2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"],
    ),
    (
        "0 9 * * *",
        "America/New_York",
        "2026-03-07T20:00:00Z",
        &["2026-03-08T13:00:00Z", "2026-03-09T13:00:00Z"],
    ),
    // Leap days.
    ("0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", &["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"]),
    ("0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", &["2104-02-29T00:00:00Z"]),
    ("0 0 L * *", "UTC", "2028-01-31T00:00:00Z", &["2028-02-29T00:00:00Z", "2028-03-31T00:00:00Z"]),
    ("0 0 31 * *", "UTC", "2026-01-31T00:00:00Z", &["2026-03-31T00:00:00Z", "2026-05-31T00:00:00Z"]),
    ("59 23 31 12 *", "Asia/Kathmandu", "2026-06-01T00:00:00Z", &["2026-12-31T18:14:00Z"]),
];

#[test]
fn runs_are_due_when_the_zone_says_so() {
    for (pattern, zone, after, expected) in TIMES {
        let found = schedule(&cron(pattern, zone)).preview(ms(after), expected.len());
        assert_eq!(found.into_iter().map(text).collect::<Vec<_>>(), expected, "{pattern} {zone}");
    }
}

#[test]
fn times_are_written_as_the_zone_has_them() {
    let berlin = schedule(&cron("30 2 * * *", "Europe/Berlin"));
    assert_eq!(berlin.written(ms("2026-10-25T00:30:00Z")), "2026-10-25T02:30:00+02:00");
    assert_eq!(berlin.written(ms("2026-10-26T01:30:00Z")), "2026-10-26T02:30:00+01:00");
    let hourly = schedule(&every(HOUR_MS, 0));
    assert_eq!(hourly.written(ms("2026-10-26T01:30:00Z")), "2026-10-26T01:30:00+00:00");
}

#[test]
fn going_back_finds_the_same_times_as_going_on() {
    for (pattern, zone, after, expected) in TIMES {
        let times = schedule(&cron(pattern, zone)).times;
        let mut at = ms(after);
        for _ in 0..expected.len() * 2 {
            let next = times.after(at).unwrap();
            assert_eq!(times.before(next + 1).map(text), Some(text(next)), "{pattern} {zone}");
            assert_eq!(times.before(next + 999).map(text), Some(text(next)), "{pattern} {zone}");
            assert!(times.before(next).is_none_or(|before| before <= at), "{pattern} {zone} {}", text(next));
            assert_eq!(times.after(next - 1), Some(next), "{pattern} {zone}");
            at = next;
        }
    }
}

#[test]
fn what_is_no_schedule_is_refused() {
    let each = |count| ScheduleSpec { catch_up: CatchUp::Each(count), ..cron("0 6 * * *", "UTC") };
    let jitter = |jitter_ms, spec| ScheduleSpec { jitter_ms, ..spec };
    for spec in [
        cron("", "UTC"),
        cron("* * * *", "UTC"),
        cron("* * * * * *", "UTC"),
        cron("0 6 * * * * 2026", "UTC"),
        cron("60 * * * *", "UTC"),
        cron("0 0 30 2 *", "UTC"),
        cron(&"0,".repeat(200), "UTC"),
        cron("0 6 * * *", "Europe/Atlantis"),
        cron("0 6 * * *", ""),
        cron("0 6 * * *", "../../etc/passwd"),
        every(MINUTE_MS - 1, 0),
        every(367 * DAY_MS, 0),
        every(0, 0),
        each(0),
        each(101),
        jitter(MINUTE_MS, cron("* * * * *", "UTC")),
        jitter(HOUR_MS, every(HOUR_MS, 0)),
        jitter(DAY_MS + 1, every(30 * DAY_MS, 0)),
        jitter(u64::MAX, every(30 * DAY_MS, 0)),
    ] {
        let error = Schedule::new(&spec, 0).unwrap_err();
        assert_eq!(error.code(), "CD1252", "{spec:?}");
    }
}

#[test]
fn a_run_is_started_at_its_time_once() {
    let schedule = schedule(&every(HOUR_MS, 0));
    let before = schedule.plan(0, HOUR_MS - 1, SEED);
    assert_eq!(before, Plan { start: vec![], settled_ms: 0, wake_ms: Some(HOUR_MS) });
    let at = schedule.plan(0, HOUR_MS, SEED);
    assert_eq!(at, Plan { start: vec![HOUR_MS], settled_ms: HOUR_MS, wake_ms: Some(2 * HOUR_MS) });
    let again = schedule.plan(at.settled_ms, HOUR_MS, SEED);
    assert_eq!(again, Plan { start: vec![], ..at });
}

#[test]
fn missed_runs_are_made_up_as_people_chose() {
    let now_ms = 5 * HOUR_MS + 30 * MINUTE_MS;
    for (catch_up, expected) in [
        (CatchUp::Skip, vec![]),
        (CatchUp::Once, vec![5]),
        (CatchUp::Each(3), vec![3, 4, 5]),
        (CatchUp::Each(100), vec![1, 2, 3, 4, 5]),
    ] {
        let spec = ScheduleSpec { catch_up, ..every(HOUR_MS, 0) };
        let plan = schedule(&spec).plan(0, now_ms, SEED);
        let start: Vec<u64> = plan.start.iter().map(|due_ms| due_ms / HOUR_MS).collect();
        assert_eq!(start, expected, "{catch_up:?}");
        assert_eq!((plan.settled_ms, plan.wake_ms), (5 * HOUR_MS, Some(6 * HOUR_MS)), "{catch_up:?}");
    }
    let skip = ScheduleSpec { catch_up: CatchUp::Skip, ..every(HOUR_MS, 0) };
    for (late_ms, is_started) in [(0, true), (MINUTE_MS, true), (MINUTE_MS + 1, false)] {
        let plan = schedule(&skip).plan(0, 2 * HOUR_MS + late_ms, SEED);
        assert_eq!(plan.start == [2 * HOUR_MS], is_started, "{late_ms} late");
    }
}

#[test]
fn a_century_away_costs_no_more_than_a_minute() {
    let spec = ScheduleSpec { catch_up: CatchUp::Each(2), ..cron("* * * * *", "Europe/Berlin") };
    let plan = schedule(&spec).plan(ms("2026-01-01T00:00:00Z"), ms("2126-01-01T00:00:30Z"), SEED);
    let start: Vec<String> = plan.start.into_iter().map(text).collect();
    assert_eq!(start, ["2125-12-31T23:59:00Z", "2126-01-01T00:00:00Z"]);
}

#[test]
fn a_clock_that_goes_back_starts_nothing_again() {
    let schedule = schedule(&every(HOUR_MS, 0));
    let plan = schedule.plan(3 * HOUR_MS, 2 * HOUR_MS, SEED);
    assert_eq!(plan, Plan { start: vec![], settled_ms: 3 * HOUR_MS, wake_ms: Some(4 * HOUR_MS) });
}

#[test]
fn jitter_spreads_schedules_and_moves_none_of_them_twice() {
    let spec = ScheduleSpec { jitter_ms: 10 * MINUTE_MS, ..every(HOUR_MS, 0) };
    let schedule = schedule(&spec);
    let mut wakes: Vec<u64> = (0..200).map(|seed| schedule.plan(0, 1, seed).wake_ms.unwrap()).collect();
    assert!(wakes.iter().all(|wake_ms| (HOUR_MS..=HOUR_MS + 10 * MINUTE_MS).contains(wake_ms)));
    assert_eq!(schedule.plan(0, HOUR_MS, 7).wake_ms, Some(wakes[7]), "due, and its time not come");
    assert_eq!(schedule.plan(0, wakes[7] - 1, 7).start, Vec::<u64>::new());
    assert_eq!(schedule.plan(0, wakes[7], 7).start, [HOUR_MS]);
    wakes.sort_unstable();
    wakes.dedup();
    assert!(wakes.len() > 190, "{}", wakes.len());
}

#[test]
fn a_schedule_is_stored_as_it_was_written() {
    let spec = ScheduleSpec { catch_up: CatchUp::Each(3), ..cron("0 6 * * *", "Europe/Berlin") };
    let json = serde_json::to_string(&spec).unwrap();
    assert_eq!(serde_json::from_str::<ScheduleSpec>(&json).unwrap(), spec);
    let short = r#"{"when":{"every":{"interval_ms":60000,"from_ms":0}}}"#;
    assert_eq!(serde_json::from_str::<ScheduleSpec>(short).unwrap(), every(MINUTE_MS, 0));
    assert!(serde_json::from_str::<ScheduleSpec>(&short.replace("when", "wann")).is_err());
}

proptest! {
    /// Whenever somebody wakes, each due time is started once, none before it is due, and none is left out.
    #[test]
    fn each_run_is_started_once_whenever_somebody_wakes(
        interval in 1_u64..200,
        jitter in 0_u64..60,
        steps in proptest::collection::vec(0_u64..100, 1..40),
    ) {
        let (interval_ms, jitter_ms) = (interval * MINUTE_MS, (jitter * MINUTE_MS).min(interval * MINUTE_MS - 1));
        let spec = ScheduleSpec { jitter_ms, catch_up: CatchUp::Each(100), ..every(interval_ms, interval_ms) };
        let schedule = schedule(&spec);
        let (mut now_ms, mut settled_ms, mut started) = (0, 0, Vec::new());
        for step in steps {
            now_ms += step * MINUTE_MS;
            let plan = schedule.plan(settled_ms, now_ms, SEED);
            prop_assert!(plan.start.iter().all(|due_ms| *due_ms <= now_ms));
            prop_assert!(plan.wake_ms.is_some_and(|wake_ms| wake_ms > now_ms));
            started.extend(plan.start);
            settled_ms = plan.settled_ms;
        }
        let expected: Vec<u64> = (1..=started.len() as u64).map(|number| number * interval_ms).collect();
        prop_assert_eq!(&started, &expected);
        let begun = now_ms.saturating_sub(jitter_ms) / interval_ms;
        prop_assert!(started.len() as u64 >= begun, "{} of {begun}", started.len());
    }
}
