//! Chosen rows of a column.

use cofferdam_sdk::{Column, ColumnData, VarData};

/// The column with only these rows, in this order.
pub(crate) fn take(column: Column, rows: &[u32]) -> Column {
    Column {
        validity: column.validity.map(|bits| bitmap(&bits, rows)),
        presence: column.presence.map(|bits| bitmap(&bits, rows)),
        data: match column.data {
            ColumnData::Boolean(bits) => ColumnData::Boolean(bitmap(&bits, rows)),
            ColumnData::Int64(values) => ColumnData::Int64(fixed(&values, rows)),
            ColumnData::Float64(values) => ColumnData::Float64(fixed(&values, rows)),
            ColumnData::Decimal(words) => ColumnData::Decimal(pairs(&words, rows)),
            ColumnData::Text(values) => ColumnData::Text(variable(&values, rows)),
            ColumnData::Bytes(values) => ColumnData::Bytes(variable(&values, rows)),
            ColumnData::Json(values) => ColumnData::Json(variable(&values, rows)),
            ColumnData::Date(days) => ColumnData::Date(fixed(&days, rows)),
            ColumnData::Time(micros) => ColumnData::Time(fixed(&micros, rows)),
            ColumnData::Timestamp(micros) => ColumnData::Timestamp(fixed(&micros, rows)),
            // Reserved: the host of this contract refuses them before.
            reserved @ (ColumnData::List(_) | ColumnData::Struct(_)) => reserved,
        },
    }
}

/// The values at these places.
pub(crate) fn fixed<T: Copy>(values: &[T], rows: &[u32]) -> Vec<T> {
    rows.iter().filter_map(|row| values.get(*row as usize).copied()).collect()
}

fn pairs(words: &[u64], rows: &[u32]) -> Vec<u64> {
    let pairs = rows.iter().filter_map(|row| words.get(*row as usize * 2..*row as usize * 2 + 2));
    pairs.flatten().copied().collect()
}

fn bitmap(bits: &[u8], rows: &[u32]) -> Vec<u8> {
    let bit = |row: &u32| bits.get(*row as usize / 8).is_some_and(|byte| byte >> (row % 8) & 1 == 1);
    rows.chunks(8).map(|rows| rows.iter().rev().fold(0, |byte, row| byte << 1 | u8::from(bit(row)))).collect()
}

fn variable(values: &VarData, rows: &[u32]) -> VarData {
    let mut taken = VarData { offsets: Vec::with_capacity(rows.len() + 1), data: Vec::new() };
    taken.offsets.push(0);
    let mut end: i32 = 0;
    for row in rows {
        let row = *row as usize;
        if let Some([first, last]) = values.offsets.get(row..row + 2)
            && let Some(value) = values.data.get(*first as usize..*last as usize)
        {
            taken.data.extend_from_slice(value);
            // Part of what a batch may hold, far below the range.
            end = end.saturating_add(last - first);
        }
        taken.offsets.push(end);
    }
    taken
}

#[cfg(test)]
mod tests {
    use cofferdam_sdk::{Column, ColumnData, VarData};

    use super::take;

    #[test]
    fn every_kind_of_column_keeps_the_chosen_rows() {
        let rows = [0, 2, 9];
        let of = |data| take(Column { validity: None, presence: None, data }, &rows).data;
        let numbers: Vec<i64> = (0..10).collect();
        assert_eq!(of(ColumnData::Int64(numbers.clone())), ColumnData::Int64(vec![0, 2, 9]));
        assert_eq!(of(ColumnData::Timestamp(numbers)), ColumnData::Timestamp(vec![0, 2, 9]));
        let words = (0..20).collect();
        assert_eq!(of(ColumnData::Decimal(words)), ColumnData::Decimal(vec![0, 1, 4, 5, 18, 19]));
        assert_eq!(of(ColumnData::Boolean(vec![0b100, 0b10])), ColumnData::Boolean(vec![0b110]));
        let texts = VarData { offsets: vec![0, 1, 1, 3, 3, 3, 3, 3, 3, 3, 4], data: b"abbc".to_vec() };
        let taken = VarData { offsets: vec![0, 1, 3, 4], data: b"abbc".to_vec() };
        assert_eq!(of(ColumnData::Text(texts)), ColumnData::Text(taken));
    }

    #[test]
    fn bitmaps_follow_their_rows() {
        let column = Column {
            validity: Some(vec![0b1010_1010, 0b1]),
            presence: Some(vec![0b0000_1111, 0b0]),
            data: ColumnData::Date((0..9).collect()),
        };
        let taken = take(column, &[1, 2, 3, 4, 5, 6, 7, 8, 0]);
        assert_eq!(taken.validity, Some(vec![0b1101_0101, 0]));
        assert_eq!(taken.presence, Some(vec![0b0000_0111, 1]));
    }
}
