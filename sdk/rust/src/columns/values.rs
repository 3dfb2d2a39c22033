//! Typed access to the values of one column, in place.

use super::bits::bit;

/// Which rows of a column hold a value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nulls<'a> {
    pub(super) validity: Option<&'a [u8]>,
    pub(super) presence: Option<&'a [u8]>,
}

impl Nulls<'_> {
    #[inline]
    pub(super) fn is_present(&self, row: usize) -> bool {
        self.presence.is_none_or(|bits| bit(bits, row))
    }

    #[inline]
    pub(super) fn is_valid(&self, row: usize) -> bool {
        self.validity.is_none_or(|bits| bit(bits, row))
    }

    #[inline]
    fn has_value(&self, row: usize) -> bool {
        self.is_valid(row) && self.is_present(row)
    }
}

/// Values of fixed size: integers, floats, dates, times.
#[derive(Debug, Clone, Copy)]
pub struct Values<'a, T> {
    pub(super) data: &'a [T],
    pub(super) nulls: Nulls<'a>,
}

impl<'a, T: Copy> Values<'a, T> {
    /// All values as a slice; what stands where a value is null or absent means nothing.
    pub fn as_slice(&self) -> &'a [T] {
        self.data
    }

    /// The value of one row; `None` where it is null or absent.
    #[inline]
    pub fn get(&self, row: usize) -> Option<T> {
        self.data.get(row).copied().filter(|_| self.nulls.has_value(row))
    }

    /// The values in order; `None` where one is null or absent.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<T>> + use<'a, T> {
        let nulls = self.nulls;
        self.data.iter().enumerate().map(move |(row, value)| nulls.has_value(row).then_some(*value))
    }
}

/// Values of variable length: text, JSON, bytes.
#[derive(Debug)]
pub struct VarValues<'a, V: ?Sized> {
    pub(super) data: &'a V,
    pub(super) offsets: &'a [i32],
    pub(super) nulls: Nulls<'a>,
}

impl<V: ?Sized> Clone for VarValues<'_, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V: ?Sized> Copy for VarValues<'_, V> {}

impl<'a, V: ?Sized> VarValues<'a, V> {
    fn range(&self, row: usize) -> Option<std::ops::Range<usize>> {
        let [start, end] = self.offsets.get(row..row.checked_add(2)?)? else { return None };
        Some(usize::try_from(*start).ok()?..usize::try_from(*end).ok()?)
    }

    fn row_count(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }
}

impl<'a> VarValues<'a, str> {
    /// The value of one row; `None` where it is null or absent.
    #[inline]
    pub fn get(&self, row: usize) -> Option<&'a str> {
        if self.nulls.has_value(row) { self.data.get(self.range(row)?) } else { None }
    }

    /// The values in order; `None` where one is null or absent.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<&'a str>> + use<'a> {
        let values = *self;
        (0..self.row_count()).map(move |row| values.get(row))
    }
}

impl<'a> VarValues<'a, [u8]> {
    /// The value of one row; `None` where it is null or absent.
    #[inline]
    pub fn get(&self, row: usize) -> Option<&'a [u8]> {
        if self.nulls.has_value(row) { self.data.get(self.range(row)?) } else { None }
    }

    /// The values in order; `None` where one is null or absent.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<&'a [u8]>> + use<'a> {
        let values = *self;
        (0..self.row_count()).map(move |row| values.get(row))
    }
}

/// Booleans.
#[derive(Debug, Clone, Copy)]
pub struct Booleans<'a> {
    pub(super) bits: &'a [u8],
    pub(super) rows: usize,
    pub(super) nulls: Nulls<'a>,
}

impl<'a> Booleans<'a> {
    /// The value of one row; `None` where it is null or absent.
    #[inline]
    pub fn get(&self, row: usize) -> Option<bool> {
        (row < self.rows && self.nulls.has_value(row)).then(|| bit(self.bits, row))
    }

    /// The values in order; `None` where one is null or absent.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<bool>> + use<'a> {
        let values = *self;
        (0..self.rows).map(move |row| values.get(row))
    }
}

/// Decimal numbers without their point: 12.34 of scale 2 is 1234.
#[derive(Debug, Clone, Copy)]
pub struct Decimals<'a> {
    pub(super) words: &'a [u64],
    pub(super) scale: u8,
    pub(super) nulls: Nulls<'a>,
}

impl<'a> Decimals<'a> {
    /// Digits after the point.
    pub fn scale(&self) -> u8 {
        self.scale
    }

    /// The value of one row; `None` where it is null or absent.
    #[inline]
    pub fn get(&self, row: usize) -> Option<i128> {
        let start = row.checked_mul(2)?;
        let [low, high] = self.words.get(start..start.checked_add(2)?)? else { return None };
        self.nulls.has_value(row).then(|| (u128::from(*high) << 64 | u128::from(*low)) as i128)
    }

    /// The values in order; `None` where one is null or absent.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<i128>> + use<'a> {
        let values = *self;
        (0..self.words.len() / 2).map(move |row| values.get(row))
    }
}
