//! Lists of solvers and mechanisms.

use crate::{Place, assert_has};
use serde_json::Value;

#[test]
fn solvers_are_listed_as_table_and_json() {
    let place = Place::new("solvers");
    let list = place.braincell(&["solvers"]).success();
    let json = place.braincell(&["solvers", "--json"]).success();
    let json: Value = serde_json::from_str(&json).unwrap();
    let json = json.as_array().unwrap();
    let registered = braincell::solvers().entries();
    assert_eq!(json.len(), registered.len());
    for (object, entry) in json.iter().zip(registered) {
        let info = &entry.info;
        assert_eq!(object["name"], info.name.as_str());
        assert_eq!(object["order"], info.order);
        assert_eq!(object["source"]["from"], entry.origin.from.as_str());
        let row = list
            .lines()
            .find(|line| line.split_whitespace().next() == Some(&info.name));
        assert_has(
            row.unwrap(),
            &[
                &info.family,
                &info.order.to_string(),
                &entry.origin.to_string(),
            ],
        );
        let measured = &object["measured"];
        let order = measured["orders"]["membrane"].as_f64();
        let declared = f64::from(info.order_without_cable.unwrap_or(info.order));
        let skipped = info.needs.noise && order.is_none();
        let agrees = order.is_some_and(|order| (order - declared).abs() <= 0.1);
        assert!(skipped || agrees, "{}: {measured:#}", info.name);
        assert!(object["doi"].is_null() || object["doi"].as_str().unwrap().starts_with("10."));
    }
    let rk4 = json.iter().find(|object| object["name"] == "rk4").unwrap();
    assert_eq!(rk4["cost_per_step"]["right_hand_sides"], 4);
    assert_eq!(rk4["measured"]["stability"]["real_axis"], 2.785);
    assert_eq!(rk4["measured"]["gradient_check"], "passed");
}

#[test]
fn solvers_are_shown_with_their_program() {
    let place = Place::new("show_solver");
    for entry in braincell::solvers().entries() {
        let shown = place
            .braincell(&["solvers", "show", &entry.info.name])
            .success();
        assert_has(
            &shown,
            &[&entry.info.formula, &entry.info.reference, "y ← "],
        );
        for line in entry.program().unwrap().to_string().lines() {
            assert_has(&shown, &[line]);
        }
    }
    let unknown = place
        .braincell(&["solvers", "show", "nothing_like_it"])
        .failure();
    assert_has(
        &unknown,
        &["unknown solver \"nothing_like_it\"", "the solvers are"],
    );
}

#[cfg(feature = "rk")]
#[test]
fn aliases_and_parameters_are_understood() {
    let place = Place::new("aliases");
    assert_has(
        &place.braincell(&["solvers", "show", "explicit"]).success(),
        &["euler"],
    );
    let shown = place
        .braincell(&["solvers", "show", "rk2(alpha=0.5)"])
        .success();
    assert_has(&shown, &["rk2(alpha=0.5)", "a2 = y + 0.5 h a1", "y ← a4"]);
    let error = place
        .braincell(&["solvers", "show", "rk2(beta=1)"])
        .failure();
    assert_has(&error, &["no parameter \"beta\"", "alpha"]);
}

#[test]
fn mechanisms_are_listed_and_shown() {
    let place = Place::new("mechanisms");
    let list = place.braincell(&["mechanisms"]).success();
    for mechanism in braincell::cells::mechanisms::all() {
        assert_has(&list, &[mechanism.name()]);
        let shown = place
            .braincell(&["mechanisms", "show", mechanism.name()])
            .success();
        assert_has(&shown, &[&format!("type = \"{}\"", mechanism.name())]);
        for parameter in &mechanism.info().parameters {
            assert_has(
                &shown,
                &[&format!("\n  {} = ", parameter.name), parameter.description],
            );
        }
    }
    let error = place
        .braincell(&["mechanisms", "show", "na_hh1953"])
        .failure();
    assert_has(&error, &["na_hh1953", "did you mean na_hh1952"]);
}

/// What `mechanisms show` prints can be put into a file as it stands.
#[test]
fn shown_mechanisms_can_be_copied() {
    let place = Place::new("copied");
    let mut text = "[model]\nkind = \"single_compartment\"\n\
                    [run]\nsolver = \"rk4\"\ndt = \"0.01 ms\"\nduration = \"1 ms\"\n"
        .to_string();
    let shown = place
        .braincell(&["mechanisms", "show", "na_hh1952"])
        .success();
    text += shown.split("default values:\n").nth(1).unwrap();
    place.write("e.toml", &text);
    place.braincell(&["run", "e.toml"]).success();
}

#[test]
fn usage_is_explained() {
    let place = Place::new("usage");
    assert_has(
        &place.braincell(&["--help"]).success(),
        &["run", "solvers", "mechanisms"],
    );
    for arguments in [&[][..], &["fly"], &["run"], &["run", "a.toml", "--fast"]] {
        let run = place.braincell(arguments);
        assert_eq!(run.status, Some(2), "{arguments:?}");
        assert_has(&run.stderr, &["Usage: braincell"]);
    }
}

/// A build has the families that its features ask for, and lists no other.
#[test]
fn families_are_those_of_the_features() {
    let place = Place::new("families");
    let list = place.braincell(&["solvers"]).success();
    for (family, on) in [
        ("rk", cfg!(feature = "rk")),
        ("expeuler", cfg!(feature = "expeuler")),
        ("implicit", cfg!(feature = "implicit")),
        ("cable", cfg!(feature = "cable")),
    ] {
        assert_eq!(
            list.contains(&format!("braincell-solvers-{family} ")),
            on,
            "{family}"
        );
    }
}
