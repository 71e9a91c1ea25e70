//! Domains of the compartments that mechanisms cover.

use super::Painted;
use braincell_core::model::{Domain, ModelBuilder, ModelError};
use std::collections::HashMap;

struct Patch {
    elements: Vec<u32>,
    domain: Domain,
    within: Domain,
}

/// Domains, one for each set of compartments. A mechanism reads what lives on its domain and on those of which that is
/// a part; so what needs the pool of an ion lives on a part of the pool's domain.
pub(super) struct Patches {
    whole: Patch,
    /// Largest first.
    pools: Vec<Patch>,
    others: Vec<Patch>,
}

impl Patches {
    pub fn new(domain: Domain, compartments: usize) -> Self {
        let whole = Patch {
            elements: (0..compartments as u32).collect(),
            domain,
            within: domain,
        };
        Self {
            whole,
            pools: Vec::new(),
            others: Vec::new(),
        }
    }

    /// Declares the domains of all pools, one within the other where possible.
    pub fn add_pools(
        &mut self,
        m: &mut ModelBuilder,
        painted: &[Painted],
        pools: &HashMap<&'static str, usize>,
    ) -> Result<(), ModelError> {
        let mut pools: Vec<&Painted> = pools.values().map(|&p| &painted[p]).collect();
        pools.sort_by_key(|p| (usize::MAX - p.elements.len(), &p.label));
        for pool in pools {
            let outer = self.pools.iter().rev();
            let outer = outer.chain([&self.whole]);
            let outer = outer.filter(|patch| contains(&patch.elements, &pool.elements));
            let patch = subset(m, pool, outer.min_by_key(|p| p.elements.len()))?;
            self.pools.extend(patch);
        }
        Ok(())
    }

    /// The domain of a mechanism that uses these pools.
    pub fn domain<'a>(
        &mut self,
        m: &mut ModelBuilder,
        painted: &Painted,
        uses: impl Iterator<Item = &'a Painted>,
    ) -> Result<Domain, ModelError> {
        let elements = &painted.elements;
        if *elements == self.whole.elements {
            return Ok(self.whole.domain);
        }
        let of = |elements: &Vec<u32>| self.pools.iter().find(|p| p.elements == *elements);
        if painted.is_pool()
            && let Some(patch) = of(elements)
        {
            return Ok(patch.domain);
        }
        let outer = uses
            .filter_map(|pool| of(&pool.elements))
            .min_by_key(|patch| patch.elements.len());
        let outer = outer.unwrap_or(&self.whole);
        let same = |p: &&Patch| p.elements == *elements && p.within == outer.domain;
        if let Some(patch) = self.others.iter().find(same) {
            return Ok(patch.domain);
        }
        match subset(m, painted, Some(outer))? {
            None => Ok(outer.domain),
            Some(patch) => {
                let domain = patch.domain;
                self.others.push(patch);
                Ok(domain)
            }
        }
    }
}

/// A new domain inside another; `None` if it is the same.
fn subset(
    m: &mut ModelBuilder,
    painted: &Painted,
    outer: Option<&Patch>,
) -> Result<Option<Patch>, ModelError> {
    let Some(outer) = outer.filter(|outer| outer.elements != painted.elements) else {
        return Ok(None);
    };
    let rows = painted.elements.iter().map(|&e| {
        let row = outer.elements.partition_point(|&o| o < e);
        row as u32
    });
    let rows: Vec<u32> = rows.collect();
    Ok(Some(Patch {
        elements: painted.elements.clone(),
        domain: m.subset(&painted.label, outer.domain, &rows)?,
        within: outer.domain,
    }))
}

/// Whether all of `inner` are in `outer`; both ascending.
pub(super) fn contains(outer: &[u32], inner: &[u32]) -> bool {
    inner.iter().all(|e| outer.binary_search(e).is_ok())
}

/// Whether none of `inner` are in `outer`; both ascending.
pub(super) fn disjoint(outer: &[u32], inner: &[u32]) -> bool {
    inner.iter().all(|e| outer.binary_search(e).is_err())
}
