//! The NIST StRD univariate data sets, including the data that the reference file describes only by a formula.

use serde_json::Value;

/// Certified values and decimal data; the `source` field names their origin.
const UNIVARIATE: &str = include_str!("../reference/nist_strd_univariate.json");

/// The number of sets.
pub(crate) const SETS: usize = 9;

/// The cases of the reference file, each with its measurements.
pub(crate) fn sets() -> Vec<(Value, Vec<f64>)> {
    let reference: Value = serde_json::from_str(UNIVARIATE).unwrap();
    let sets: Vec<_> = reference["cases"].as_array().unwrap().iter().map(|case| (case.clone(), data(case))).collect();
    assert_eq!(sets.len(), SETS);
    sets
}

fn data(case: &Value) -> Vec<f64> {
    let pairs = |first: f64, low: f64, high: f64| {
        std::iter::once(first).chain(std::iter::repeat_n([low, high], 500).flatten()).collect()
    };
    let values: Vec<f64> = match case["name"].as_str().unwrap() {
        "NumAcc2" => pairs(1.2, 1.1, 1.3),
        "NumAcc3" => pairs(1_000_000.2, 1_000_000.1, 1_000_000.3),
        "NumAcc4" => pairs(10_000_000.2, 10_000_000.1, 10_000_000.3),
        "PiDigits" => {
            let mut digits = digits_of_pi(5000);
            // NIST's file has one wrong digit, and its certified values are those of the file.
            assert_eq!(std::mem::replace(&mut digits[956], 3.0), 8.0);
            digits
        }
        _ => case["data"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect(),
    };
    assert_eq!(Some(values.len() as u64), case["n"].as_u64());
    values
}

/// The first decimal digits of π, including the leading 3, by Machin's formula π = 16 arctan 1/5 − 4 arctan 1/239
/// (1706).
fn digits_of_pi(count: usize) -> Vec<f64> {
    let limbs = count / 9 + 3;
    let mut pi = vec![0; limbs];
    add_arctangent(&mut pi, 16, 5, false);
    add_arctangent(&mut pi, 4, 239, true);
    let text: String =
        pi.iter().enumerate().map(|(i, limb)| format!("{limb:0width$}", width = if i == 0 { 1 } else { 9 })).collect();
    text.bytes().take(count).map(|digit| f64::from(digit - b'0')).collect()
}

/// Limbs of nine decimal digits, the most significant first; the first one is the whole part.
const BASE: i64 = 1_000_000_000;

/// Adds, or subtracts, `factor` · arctan(1/`inverse`) = `factor` · Σ (−1)ᵏ/((2k + 1) · inverse²ᵏ⁺¹).
fn add_arctangent(total: &mut [i64], factor: i64, inverse: i64, subtract: bool) {
    let mut power = vec![0; total.len()];
    power[0] = factor;
    divide(&mut power, inverse);
    let (mut odd, mut negative) = (1, subtract);
    while power.iter().any(|&limb| limb != 0) {
        let mut term = power.clone();
        divide(&mut term, odd);
        for (limb, added) in total.iter_mut().zip(&term) {
            *limb += if negative { -added } else { *added };
        }
        for i in (1..total.len()).rev() {
            let carry = total[i].div_euclid(BASE);
            total[i] -= carry * BASE;
            total[i - 1] += carry;
        }
        divide(&mut power, inverse * inverse);
        (odd, negative) = (odd + 2, !negative);
    }
}

fn divide(limbs: &mut [i64], divisor: i64) {
    let mut remainder = 0;
    for limb in limbs {
        let dividend = remainder * BASE + *limb;
        (*limb, remainder) = (dividend / divisor, dividend % divisor);
    }
}
