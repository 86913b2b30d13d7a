//! The diagram in the docs and the one in the module, held to what the code does.

use std::collections::BTreeSet;

use idcheck_domain::application::{Action, Approvers, StateName, TransitionRefusal};

use crate::support::{attempt_with, in_state, overdue, start};

const DOCS: &str = include_str!("../../../../docs/state-diagram.md");
const MODULE: &str = include_str!("../../src/application/mod.rs");

pub(crate) type Edge = (StateName, Action, StateName);

fn state(name: &str) -> StateName {
    StateName::ALL
        .into_iter()
        .find(|s| format!("{s:?}") == name)
        .unwrap_or_else(|| panic!("the diagram has a state {name}"))
}

fn action(word: &str) -> Action {
    Action::parse(word).unwrap_or_else(|| panic!("the diagram has an action {word}"))
}

/// Edges are compared as text, in one order.
fn told(edges: &[Edge]) -> BTreeSet<String> {
    let told: BTreeSet<_> =
        edges.iter().map(|(from, action, to)| format!("{from:?} --{}--> {to:?}", action.as_str())).collect();
    assert_eq!(told.len(), edges.len(), "an edge stands there twice");
    told
}

/// `//! Received --claim--> UnderReview` of the module's documentation.
pub(crate) fn edges_of_the_module() -> Vec<Edge> {
    let lines = MODULE.lines().filter_map(|line| line.strip_prefix("//! ")?.split_once("--> "));
    lines
        .map(|(left, to)| {
            let (from, word) = left.split_once(" --").unwrap();
            (state(from), action(word), state(to))
        })
        .collect()
}

/// The lines of the page's mermaid block.
fn mermaid() -> impl Iterator<Item = &'static str> {
    let block = DOCS.split_once("```mermaid\n").unwrap().1.split_once("```").unwrap().0;
    block.lines().map(str::trim)
}

/// `Received --> UnderReview: claim` of the page.
fn edges_of_the_page() -> Vec<Edge> {
    mermaid()
        .filter(|line| !line.contains("[*]"))
        .filter_map(|line| line.split_once(" --> "))
        .map(|(from, right)| {
            let (to, word) = right.split_once(": ").unwrap();
            (state(from), action(word), state(to))
        })
        .collect()
}

/// Every action, tried on a case in every state, while its deadlines run and after, where one officer approves and where two do.
fn edges_of_the_code() -> Vec<Edge> {
    let mut edges = Vec::new();
    for from in StateName::ALL {
        for action in Action::ALL {
            let ways = [start(), overdue()].map(|when| [(when, Approvers::One), (when, Approvers::Two)]);
            let reached = ways.into_iter().flatten().filter_map(|(when, approvers)| {
                match attempt_with(in_state(from), action, when, approvers) {
                    Ok((case, _)) => Some(case.state.name()),
                    Err(refused) => {
                        assert_ne!(refused.why, TransitionRefusal::OtherClarification);
                        None
                    }
                }
            });
            edges.extend(reached.collect::<BTreeSet<_>>().into_iter().map(|to| (from, action, to)));
        }
    }
    edges
}

#[test]
fn the_module_shows_what_the_code_does() {
    assert_eq!(told(&edges_of_the_module()), told(&edges_of_the_code()));
}

#[test]
fn the_page_shows_what_the_code_does() {
    assert_eq!(told(&edges_of_the_page()), told(&edges_of_the_code()));
}

#[test]
fn the_page_begins_and_ends_where_a_case_does() {
    let starts: Vec<_> = mermaid().filter_map(|line| line.strip_prefix("[*] --> ")).collect();
    assert_eq!(starts, ["Received: receive"]);
    let ends: BTreeSet<_> = mermaid().filter_map(|line| line.strip_suffix(" --> [*]")).map(state).collect();
    let last: BTreeSet<_> = StateName::ALL.into_iter().filter(|s| !s.is_open()).collect();
    assert_eq!(ends, last);
}
