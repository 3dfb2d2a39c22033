//! sled as its documentation says to use it: `flush` after what must not be lost.

use std::io::Write;
use std::path::Path;

use anyhow::Result;

use crate::marks::Marks;

const WRITES: u32 = 300;

pub(crate) fn write(data: &Path) -> Result<()> {
    let marks = Marks::open()?;
    let database = sled::open(data.join("bare"))?;
    for number in 0..WRITES {
        database.insert(number.to_be_bytes(), value(number))?;
        database.flush()?;
        marks.say(&format!("acknowledged {number}"))?;
    }
    Ok(())
}

pub(crate) fn read(data: &Path) -> Result<()> {
    let database = sled::open(data.join("bare"))?;
    let mut output = std::io::stdout().lock();
    for number in 0..WRITES {
        if database.get(number.to_be_bytes())?.is_some_and(|found| found == value(number)) {
            writeln!(output, "{number}")?;
        }
    }
    Ok(())
}

fn value(number: u32) -> Vec<u8> {
    let length = usize::try_from(number % 700).unwrap_or_default();
    let mut random = fastrand::Rng::with_seed(number.into());
    std::iter::repeat_with(|| random.u8(..)).take(length + 8).collect()
}
