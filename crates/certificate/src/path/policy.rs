//! Certificate policies (RFC 5280 §6.1), as the graph of RFC 9618, which has at most one node for each policy and
//! level: the tree of RFC 5280 can be made to grow exponentially.

use std::collections::{BTreeMap, BTreeSet};

use der::oid::ObjectIdentifier;
use x509_cert::ext::pkix::certpolicy::PolicyInformation;

use super::PathRules;
use crate::Refusal;
use crate::certificate::Certificate;

const ANY_POLICY: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.32.0");

#[derive(Default)]
struct Node {
    /// `expected_policy_set`: what the next certificate must name.
    expected: BTreeSet<ObjectIdentifier>,
    /// Policies of the level above that lead here.
    parents: BTreeSet<ObjectIdentifier>,
}

/// `valid_policy` → node.
type Level = BTreeMap<ObjectIdentifier, Node>;

/// The state variables of RFC 5280 §6.1.2 that concern policies.
pub(super) struct PolicyState {
    /// One level for each certificate so far; `None` is the NULL graph.
    graph: Option<Vec<Level>>,
    explicit_policy: usize,
    policy_mapping: usize,
    inhibit_any_policy: usize,
    user_policies: BTreeSet<ObjectIdentifier>,
}

impl PolicyState {
    pub(super) fn new(rules: &PathRules, length: usize) -> Self {
        let initial = |flag: bool| if flag { 0 } else { length + 1 };
        let node = Node { expected: BTreeSet::from([ANY_POLICY]), parents: BTreeSet::new() };
        Self {
            graph: Some(vec![Level::from([(ANY_POLICY, node)])]),
            explicit_policy: initial(rules.require_explicit_policy),
            policy_mapping: initial(rules.inhibit_policy_mapping),
            inhibit_any_policy: initial(rules.inhibit_any_policy),
            user_policies: rules.policies.iter().copied().collect(),
        }
    }

    /// RFC 5280 §6.1.3 (d)–(f) and, for the last certificate, §6.1.5 (a), (b).
    pub(super) fn process(&mut self, certificate: &Certificate, is_last: bool) -> Result<(), Refusal> {
        let extensions = certificate.extensions();
        let any_counts = self.inhibit_any_policy > 0 || (!is_last && certificate.is_self_issued());
        match (&extensions.policies, &mut self.graph) {
            (Some(policies), Some(levels)) => {
                let level =
                    levels.last().map(|above| next_level(above, &policies.0, any_counts)).unwrap_or_default();
                if level.is_empty() {
                    self.graph = None;
                } else {
                    levels.push(level);
                }
            }
            _ => self.graph = None,
        }
        if self.explicit_policy == 0 && self.graph.is_none() {
            return Err(Refusal::Policy);
        }
        if is_last {
            self.explicit_policy = self.explicit_policy.saturating_sub(1);
            let required = extensions.policy_constraints.as_ref().and_then(|own| own.require_explicit_policy);
            if required == Some(0) {
                self.explicit_policy = 0;
            }
        }
        Ok(())
    }

    /// RFC 5280 §6.1.4 (a), (b), (h)–(j).
    pub(super) fn prepare_for_next(&mut self, certificate: &Certificate) -> Result<(), Refusal> {
        let extensions = certificate.extensions();
        if let Some(mappings) = &extensions.policy_mappings {
            let mut by_issuer = BTreeMap::<_, BTreeSet<_>>::new();
            for mapping in &mappings.0 {
                let (issuer, subject) = (mapping.issuer_domain_policy, mapping.subject_domain_policy);
                if issuer == ANY_POLICY || subject == ANY_POLICY {
                    return Err(Refusal::Policy);
                }
                by_issuer.entry(issuer).or_default().insert(subject);
            }
            self.map(by_issuer);
        }
        if !certificate.is_self_issued() {
            for counter in [&mut self.explicit_policy, &mut self.policy_mapping, &mut self.inhibit_any_policy]
            {
                *counter = counter.saturating_sub(1);
            }
        }
        let constraints = extensions.policy_constraints.as_ref();
        lower(&mut self.explicit_policy, constraints.and_then(|own| own.require_explicit_policy));
        lower(&mut self.policy_mapping, constraints.and_then(|own| own.inhibit_policy_mapping));
        lower(&mut self.inhibit_any_policy, extensions.inhibit_any_policy);
        Ok(())
    }

    fn map(&mut self, by_issuer: BTreeMap<ObjectIdentifier, BTreeSet<ObjectIdentifier>>) {
        let allowed = self.policy_mapping > 0;
        let Some(level) = self.graph.as_mut().and_then(|levels| levels.last_mut()) else { return };
        for (issuer, subjects) in by_issuer {
            if !allowed {
                level.remove(&issuer);
            } else if let Some(node) = level.get_mut(&issuer) {
                node.expected = subjects;
            } else if level.contains_key(&ANY_POLICY) {
                level.insert(issuer, Node { expected: subjects, parents: BTreeSet::from([ANY_POLICY]) });
            }
        }
        if level.is_empty() {
            self.graph = None;
        }
    }

    /// RFC 5280 §6.1.5 (g).
    pub(super) fn wrap_up(&self) -> Result<(), Refusal> {
        let acceptable = match &self.graph {
            None => false,
            Some(_) if self.user_policies.is_empty() => true,
            Some(levels) => self.user_constrained(levels),
        };
        let demanded = self.explicit_policy == 0 || !self.user_policies.is_empty();
        if acceptable || !demanded { Ok(()) } else { Err(Refusal::Policy) }
    }

    /// Whether `user-constrained-policy-set` has a member: a policy of the anchor's domain (its node hangs under
    /// anyPolicy) that leads down to the last certificate and that the configuration accepts.
    fn user_constrained(&self, levels: &[Level]) -> bool {
        let Some((last, above)) = levels.split_last() else { return false };
        if last.contains_key(&ANY_POLICY) {
            return true;
        }
        let mut reaching: BTreeSet<ObjectIdentifier> = last.keys().copied().collect();
        for level in std::iter::once(last).chain(above.iter().rev()) {
            let nodes = level.iter().filter(|(policy, _)| reaching.contains(policy));
            let mut parents = BTreeSet::new();
            for (policy, node) in nodes {
                if node.parents.contains(&ANY_POLICY) && self.user_policies.contains(policy) {
                    return true;
                }
                parents.extend(node.parents.iter().copied());
            }
            reaching = parents;
        }
        false
    }
}

/// RFC 5280 §6.1.3 (d) (1), (2).
fn next_level(above: &Level, policies: &[PolicyInformation], any_counts: bool) -> Level {
    let named: BTreeSet<_> = policies.iter().map(|policy| policy.policy_identifier).collect();
    let parents_of = |policy: &ObjectIdentifier| -> BTreeSet<ObjectIdentifier> {
        let expecting = above.iter().filter(|(_, node)| node.expected.contains(policy));
        expecting.map(|(parent, _)| *parent).collect()
    };
    let node = |policy: ObjectIdentifier, parents| Node { expected: BTreeSet::from([policy]), parents };
    let mut level = Level::new();
    for policy in named.iter().filter(|policy| **policy != ANY_POLICY) {
        let parents = parents_of(policy);
        if !parents.is_empty() {
            level.insert(*policy, node(*policy, parents));
        } else if above.contains_key(&ANY_POLICY) {
            level.insert(*policy, node(*policy, BTreeSet::from([ANY_POLICY])));
        }
    }
    if named.contains(&ANY_POLICY) && any_counts {
        for policy in above.values().flat_map(|node| &node.expected) {
            level.entry(*policy).or_insert_with(|| node(*policy, parents_of(policy)));
        }
    }
    level
}

fn lower(counter: &mut usize, limit: Option<u32>) {
    if let Some(limit) = limit {
        *counter = (*counter).min(usize::try_from(limit).unwrap_or(usize::MAX));
    }
}
