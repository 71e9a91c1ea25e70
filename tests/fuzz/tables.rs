//! Tables of numbers.

use super::{fuzz_text, speaks};
use braincell::output::{Table, read_csv, read_rows, write, write_rows};

const SEEDS: [&str; 3] = [
    "t [ms],V [mV],\"a,b\",na.m\n0,-65,1e-3,0.05\n0.025,-64.9,nan,0.06\n\n0.05,inf,-0.0,0.07\n",
    "# braincell 0.1.0\n# title: a run\n# solver: rk4\n# dt: 0.025 ms\n# complete: no\n# message: stopped\n# spikes V: 6.8, 21.4\n# experiment:\n# [model]\n# kind = \"ode\"\nt [ms],V [mV]\n0,-65\n0.025,-64\n",
    "g_max [mS/cm2],E [mV]\r\n1,2\r\n# a comment\r\n3,\"4\"\r\n",
];

#[test]
fn tables() {
    let directory = std::env::temp_dir().join(format!("braincell-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let (file, other) = (directory.join("in.csv"), directory.join("out.csv"));
    fuzz_text("tables", 150, SEEDS.map(str::to_string).into(), |text| {
        std::fs::write(&file, text).unwrap();
        match read_csv(&file) {
            Ok(table) => {
                table.check().expect("as many values as times");
                write(&table, &other).unwrap();
                let again = read_csv(&other).unwrap_or_else(|error| {
                    let written = std::fs::read_to_string(&other).unwrap();
                    panic!("what was written is refused: {error}\n{written}\nwhere this was read:")
                });
                assert_eq!(bits(&again), bits(&table));
            }
            Err(error) => speaks(&error),
        }
        match read_rows(&file) {
            Ok(columns) => {
                let rows = columns.first().map_or(0, |c| c.values.len());
                assert!(
                    columns
                        .iter()
                        .all(|c| c.values.len() == rows && c.values.iter().all(|x| x.is_finite()))
                );
                write_rows(&columns, &[], &other).unwrap();
                let mut expected = columns;
                for column in &mut expected {
                    // A header is one line.
                    column.name = column.name.replace('\r', " ");
                    column.unit = column.unit.replace('\r', " ");
                }
                assert_eq!(read_rows(&other).unwrap(), expected);
            }
            Err(error) => speaks(&error),
        }
    });
    std::fs::remove_dir_all(&directory).unwrap();
}

/// All numbers, so that NaN equals NaN.
fn bits(table: &Table) -> Vec<Vec<u64>> {
    let columns = table.columns.iter().map(|c| &c.values).chain([&table.time]);
    let columns = columns.chain(table.events.iter().map(|e| &e.times));
    // Which NaN it is does not survive in a text.
    let bits = |x: &f64| {
        if x.is_nan() {
            0x7ff8 << 48
        } else {
            x.to_bits()
        }
    };
    columns
        .map(|values| values.iter().map(bits).collect())
        .collect()
}
