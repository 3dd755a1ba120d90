//! The world outside: stock, payments, parcels. Made up, but it fails as the real one does.

use std::sync::{Mutex, PoisonError};

use stepwell::{Error, Result};

use crate::order::Order;

/// Articles that are not in stock in this shop.
const OUT_OF_STOCK: [&str; 2] = ["SKU-GRAMOPHONE", "SKU-TELEGRAPH"];

/// Where the carrier does not go.
const NOT_REACHED: &str = "The Lighthouse";

/// What the steps of an order talk to.
#[derive(Debug)]
pub(crate) struct Shop {
    out_of_stock: Vec<&'static str>,
    /// Makes receipts and parcels of this shop differ from those of others.
    number: u64,
    /// Where the carrier does not go.
    not_reached: &'static str,
    /// What was taken back.
    notes: Mutex<Vec<String>>,
}

impl Shop {
    pub(crate) fn open() -> Self {
        Self {
            out_of_stock: OUT_OF_STOCK.to_vec(),
            number: 7,
            not_reached: NOT_REACHED,
            notes: Mutex::default(),
        }
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
    pub(crate) fn charge(
        &self,
        key: &str,
        order: &Order,
        cents: u64,
        attempt: u32,
    ) -> Result<String> {
        let busy = order.bank_busy;
        if attempt <= busy {
            let why = format!("the bank is busy, attempt {attempt} of at least {}", busy + 1);
            return Err(Error::new(why).named("BankBusy"));
        }
        if order.declined {
            return Err(Error::terminal("the card is declined").named("Declined"));
        }
        Ok(format!("receipt {:08}", self.hash(key, cents) % 100_000_000))
    }

    /// Gives the money of a receipt back, once for each key.
    pub(crate) fn refund(&self, key: &str, receipt: &str) -> String {
        self.note(format!("{receipt} is paid back"));
        format!("refund {:08} for {receipt}", self.hash(key, 1) % 100_000_000)
    }

    /// Puts pieces back that were set aside.
    pub(crate) fn put_back(&self, sku: &str, pieces: u32, shelf: &str) {
        self.note(format!("{pieces} of {sku} are back on {shelf}"));
    }

    /// Gives a parcel to the carrier, who does not go everywhere.
    pub(crate) fn hand_over(&self, parcel: &str, customer: &str) -> Result<String> {
        if self.not_reached == customer {
            let why = format!("the carrier does not go to {customer}");
            return Err(Error::terminal(why).named("NotReached"));
        }
        Ok(format!("{parcel} is with the carrier"))
    }

    /// Tells a customer that there is no order.
    pub(crate) fn say_sorry(&self, uncertain: &[String]) {
        self.note(format!("sorry; {} steps are uncertain", uncertain.len()));
    }

    fn note(&self, text: String) {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).push(text);
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
    fn what_is_taken_back_is_noted() {
        let shop = Shop::open();
        assert!(shop.refund("order-1", "receipt 1").contains("receipt 1"));
        shop.put_back("SKU-PEN", 2, "shelf 3");
        let notes = shop.notes.lock().unwrap();
        assert_eq!(*notes, ["receipt 1 is paid back", "2 of SKU-PEN are back on shelf 3"]);
    }

    #[test]
    fn the_bank_is_busy_for_a_while() {
        let shop = Shop::open();
        let order = r#"{"id":"1","customer":"Ada","lines":[],"bank_busy":2}"#;
        let order: Order = serde_json::from_str(order).unwrap();
        let charge = |attempt| shop.charge("order-1", &order, 500, attempt);
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
