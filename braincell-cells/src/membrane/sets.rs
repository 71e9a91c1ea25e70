//! Channels that are computed in one loop.

use super::{MechanismHandles, Painted};
use crate::mechanism::{ChannelSet, Kind};
use crate::mechanisms;
use braincell_core::model::Domain;
use std::any::TypeId;

/// A set of channels, with the mechanisms that they are.
pub(super) struct Found {
    pub set: &'static ChannelSet,
    pub domain: Domain,
    pub members: Vec<usize>,
}

/// The sets of which a membrane has all channels in the same compartments. No mechanism is in two.
pub(super) fn find(painted: &[Painted], handles: &[MechanismHandles]) -> Vec<Found> {
    let simple = |&m: &usize| {
        let MechanismHandles {
            cover,
            carries,
            senses,
            ..
        } = &handles[m];
        let own_solver = painted[m].solver.is_some();
        cover.is_none() && carries.is_none() && senses.is_none() && !own_solver
    };
    let mut left: Vec<usize> = (0..painted.len()).filter(simple).collect();
    let mut found = Vec::new();
    for set in mechanisms::sets() {
        for first in left.clone() {
            let domain = handles[first].domain;
            let member = |channel: &TypeId| {
                let same = |&m: &usize| match &painted[m].mechanism.kind {
                    Kind::Channel { of, .. } => of == channel && handles[m].domain == domain,
                    _ => false,
                };
                left.iter().copied().find(same)
            };
            let members: Option<Vec<usize>> = set.channels().iter().map(member).collect();
            if let Some(members) = members {
                left.retain(|m| !members.contains(m));
                found.push(Found {
                    set,
                    domain,
                    members,
                });
            }
        }
    }
    found
}
