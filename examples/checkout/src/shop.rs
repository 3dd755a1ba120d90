//! The world outside: stock, payments, parcels. Made up, but it fails as the real one does.

use stepwell::{Error, Result};

/// Articles that are not in stock in this shop.
const OUT_OF_STOCK: [&str; 2] = ["SKU-GRAMOPHONE", "SKU-TELEGRAPH"];

/// What the steps of an order talk to.
#[derive(Debug)]
pub(crate) struct Shop {
    out_of_stock: Vec<&'static str>,
    /// Makes receipts and parcels of this shop differ from those of others.
    number: u64,
}

impl Shop {
    pub(crate) fn open() -> Self {
        Self { out_of_stock: OUT_OF_STOCK.to_vec(), number: 7 }
    }

    /// Sets pieces aside and names the shelf. What is not there will not be there at the next attempt.
    pub(crate) fn reserve(&self, sku: &str, pieces: u32) -> Result<String> {
        if self.out_of_stock.contains(&sku) {
            return Err(Error::terminal(format!("{sku} is out of stock")).named("OutOfStock"));
        }
        let shelf = sku.bytes().map(u32::from).sum::<u32>() % 40 + pieces % 2;
        Ok(format!("shelf {shelf}"))
    }

    /// Takes money, once for each key however often it is called, and gives the receipt.
    pub(crate) fn charge(&self, key: &str, cents: u64, attempt: u32, busy: u32) -> Result<String> {
        if attempt <= busy {
            let why = format!("the bank is busy, attempt {attempt} of at least {}", busy + 1);
            return Err(Error::new(why).named("BankBusy"));
        }
        Ok(format!("receipt {:08}", self.hash(key, cents) % 100_000_000))
    }

    /// Prints a label and gives the parcel's number.
    pub(crate) fn label(&self, key: &str) -> String {
        format!("parcel {:010}", self.hash(key, 0) % 10_000_000_000)
    }

    fn hash(&self, key: &str, begin: u64) -> u64 {
        key.bytes().fold(self.number ^ begin, |hash, byte| hash.wrapping_mul(131) ^ u64::from(byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bank_is_busy_for_a_while() {
        let shop = Shop::open();
        let charge = |attempt| shop.charge("order-1", 500, attempt, 2);
        assert_eq!(charge(2).unwrap_err().name(), "BankBusy");
        assert_eq!(charge(3).unwrap(), charge(4).unwrap());
    }

    #[test]
    fn what_is_out_of_stock_stays_so() {
        let error = Shop::open().reserve("SKU-TELEGRAPH", 1).unwrap_err();
        assert_eq!(error.name(), "OutOfStock");
        assert!(Shop::open().reserve("SKU-PEN", 2).is_ok());
    }
}
