use super::{Action, Actor, Reason, Scope, judge, judge_token};
use std::collections::BTreeSet;

/// Columns: operator, admin, user, outsider, glass without a selection, glass with this selected, scope of tokens.
/// `+` may, else the reason.
const MATRIX: &str = "\
read_organization        +        +        +        member  +        +        read
read_catalog             +        +        +        member  +        +        read
read_runs                data     +        +        member  +        +        read
read_run_logs            data     +        +        member  select   +        read
read_configurations      data     +        +        member  select   +        read
read_rows                data     +        +        member  select   +        read
read_positions           data     +        +        member  select   +        read
change_syncs             data     +        +        member  select   select   write
change_schedules         data     +        +        member  select   select   write
edit_positions           data     +        +        member  select   select   write
delete_rows              data     +        +        member  select   select   write
start_runs               data     +        +        member  select   select   run
enter_credentials        data     +        +        member  select   select   write
grant_rights             data     +        admin    member  select   select   admin
list_members             data     +        +        member  select   select   read
invite_members           data     +        admin    member  select   select   admin
change_members           data     +        admin    member  select   select   admin
leave                    data     +        +        member  select   select   -
rename_organization      data     +        admin    member  select   select   admin
delete_organization      data     +        admin    member  select   select   -
change_zones             data     +        admin    member  select   select   admin
change_retention         data     +        admin    member  select   select   admin
read_audit               data     +        admin    member  select   select   admin
create_tokens            data     +        +        member  select   select   -
revoke_tokens            data     +        admin    member  select   select   admin
request_break_glass      +        operator operator member  select   select   -
approve_break_glass      data     +        admin    member  select   select   -
create_organization      +        operator operator member  select   select   -
run_installation         +        operator operator member  select   select   -
read_installation_audit  +        operator operator member  select   select   -
";

fn word(answer: Result<(), Reason>) -> &'static str {
    match answer {
        Ok(()) => "+",
        Err(Reason::NotAMember) => "member",
        Err(Reason::NeedsAdmin) => "admin",
        Err(Reason::NeedsOperator) => "operator",
        Err(Reason::OperatorSeesNoData) => "data",
        Err(Reason::NotSelected) => "select",
        Err(Reason::NeedsScope(_)) => "scope",
        Err(Reason::NeedsPerson) => "person",
    }
}

fn glass(selected: &[Action]) -> Actor {
    Actor::Glass { selected: selected.iter().copied().collect() }
}

/// A new action without a row here fails.
#[test]
fn every_pair_of_actor_and_action_is_judged_as_the_table_says() {
    let expected: Vec<Vec<&str>> = MATRIX.lines().map(|row| row.split_whitespace().collect()).collect();
    let judged: Vec<Vec<String>> = Action::ALL
        .iter()
        .map(|action| {
            let actors =
                [Actor::Operator, Actor::Admin, Actor::User, Actor::Outsider, glass(&[]), glass(&[*action])];
            let words = actors.iter().map(|actor| word(judge(actor, *action)).to_owned());
            let scope = action.scope().map_or("-".to_owned(), |scope| format!("{scope:?}").to_lowercase());
            [action.name()].into_iter().chain(words).chain([scope]).collect()
        })
        .collect();
    assert_eq!(judged, expected);
}

#[test]
fn an_operator_gets_nothing_more_by_selecting_everything() {
    let all = glass(Action::ALL);
    let gets: Vec<Action> =
        Action::ALL.iter().copied().filter(|action| judge(&all, *action).is_ok()).collect();
    assert!(gets.iter().all(|action| action.scope() == Some(Scope::Read)), "{gets:?}");
    for never in [Action::EnterCredentials, Action::ReadAudit, Action::GrantRights, Action::ApproveBreakGlass]
    {
        assert!(!gets.contains(&never) && !never.is_selectable());
    }
}

#[test]
fn a_token_may_what_its_person_may_and_its_scopes_say() {
    let scopes = |scopes: &[Scope]| scopes.iter().copied().collect::<BTreeSet<_>>();
    let all = scopes(&[Scope::Read, Scope::Write, Scope::Run, Scope::Admin]);
    for action in Action::ALL {
        for actor in [Actor::Operator, Actor::Admin, Actor::User, Actor::Outsider] {
            let by_person = judge(&actor, *action);
            let by_token = judge_token(&actor, &all, *action);
            let expected = by_person.and(action.scope().map(|_| ()).ok_or(Reason::NeedsPerson));
            assert_eq!(by_token, expected, "{actor:?} {action:?}");
            assert!(judge_token(&actor, &scopes(&[]), *action).is_err());
        }
    }
    let reads = scopes(&[Scope::Read]);
    assert_eq!(judge_token(&Actor::Admin, &reads, Action::StartRuns), Err(Reason::NeedsScope(Scope::Run)));
    assert_eq!(judge_token(&Actor::User, &reads, Action::ReadRows), Ok(()));
}
