//! BER to DER, as far as CMS messages need it (RFC 5652 §5.1: `SignedData` may be BER).
//!
//! Rewrites indefinite and over-long lengths and joins constructed OCTET STRINGs. It changes nothing that is DER
//! already, so the bytes of an embedded certificate stay as they were signed. SET OF is not sorted here: whoever needs
//! a sorted one sorts it.
//!
//! Work is bounded: [`MAX_LEN`] octets in, [`MAX_DEPTH`] levels down, each level copied once.

use crate::Refusal;

/// The longest message that is read: a card's signature with a whole chain has less than 16 KiB.
pub const MAX_LEN: usize = 64 * 1024;
/// The deepest nesting: a `SignedData` with certificates has less than 20 levels.
pub const MAX_DEPTH: usize = 32;

const CONSTRUCTED: u8 = 0x20;
const OCTET_STRING: u8 = 0x04;
const MULTI_BYTE_TAG: u8 = 0x1f;

/// One element of BER as DER, with nothing behind it.
///
/// # Errors
/// [`Refusal::TooLarge`] beyond the bounds, [`Refusal::Malformed`] for everything that is not BER.
pub fn to_der(input: &[u8]) -> Result<Vec<u8>, Refusal> {
    if input.len() > MAX_LEN {
        return Err(Refusal::TooLarge);
    }
    let mut output = Vec::with_capacity(input.len());
    let rest = element(input, MAX_DEPTH, &mut output)?;
    if rest.is_empty() { Ok(output) } else { Err(Refusal::Malformed) }
}

#[derive(Clone, Copy)]
enum Length {
    Definite(usize),
    Indefinite,
}

fn header(input: &[u8]) -> Result<(u8, Length, &[u8]), Refusal> {
    let (&tag, rest) = input.split_first().ok_or(Refusal::Malformed)?;
    if tag & MULTI_BYTE_TAG == MULTI_BYTE_TAG {
        return Err(Refusal::Malformed);
    }
    let (&first, rest) = rest.split_first().ok_or(Refusal::Malformed)?;
    if first < 0x80 {
        return Ok((tag, Length::Definite(usize::from(first)), rest));
    }
    if first == 0x80 {
        return Ok((tag, Length::Indefinite, rest));
    }
    let (octets, rest) = rest.split_at_checked(usize::from(first & 0x7f)).ok_or(Refusal::Malformed)?;
    let length = octets
        .iter()
        .try_fold(0usize, |length, octet| length.checked_mul(256)?.checked_add(usize::from(*octet)))
        .ok_or(Refusal::Malformed)?;
    Ok((tag, Length::Definite(length), rest))
}

/// Writes one element and returns what follows it.
fn element<'a>(input: &'a [u8], depth: usize, output: &mut Vec<u8>) -> Result<&'a [u8], Refusal> {
    let depth = depth.checked_sub(1).ok_or(Refusal::TooLarge)?;
    let (tag, length, body) = header(input)?;
    if tag == 0 {
        // End-of-contents outside an indefinite length.
        return Err(Refusal::Malformed);
    }
    if tag & CONSTRUCTED == 0 {
        let Length::Definite(length) = length else { return Err(Refusal::Malformed) };
        let (value, rest) = body.split_at_checked(length).ok_or(Refusal::Malformed)?;
        write(tag, value, output)?;
        return Ok(rest);
    }
    let joins = tag == OCTET_STRING | CONSTRUCTED;
    let mut inner = Vec::new();
    let rest = contents(body, length, |input| {
        if joins { octets(input, depth, &mut inner) } else { element(input, depth, &mut inner) }
    })?;
    write(if joins { OCTET_STRING } else { tag }, &inner, output)?;
    Ok(rest)
}

/// Writes the octets of one segment of a constructed OCTET STRING (X.690 §8.7.3).
fn octets<'a>(input: &'a [u8], depth: usize, output: &mut Vec<u8>) -> Result<&'a [u8], Refusal> {
    let depth = depth.checked_sub(1).ok_or(Refusal::TooLarge)?;
    let (tag, length, body) = header(input)?;
    match (tag, length) {
        (OCTET_STRING, Length::Definite(length)) => {
            let (value, rest) = body.split_at_checked(length).ok_or(Refusal::Malformed)?;
            output.extend_from_slice(value);
            Ok(rest)
        }
        (tag, length) if tag == OCTET_STRING | CONSTRUCTED => {
            contents(body, length, |input| octets(input, depth, output))
        }
        _ => Err(Refusal::Malformed),
    }
}

/// Calls `each` for every element inside and returns what follows the whole.
fn contents<'a>(
    body: &'a [u8],
    length: Length,
    mut each: impl FnMut(&'a [u8]) -> Result<&'a [u8], Refusal>,
) -> Result<&'a [u8], Refusal> {
    match length {
        Length::Definite(length) => {
            let (mut inside, rest) = body.split_at_checked(length).ok_or(Refusal::Malformed)?;
            while !inside.is_empty() {
                inside = each(inside)?;
            }
            Ok(rest)
        }
        Length::Indefinite => {
            let mut rest = body;
            loop {
                if let [0, 0, after @ ..] = rest {
                    return Ok(after);
                }
                rest = each(rest)?;
            }
        }
    }
}

fn write(tag: u8, value: &[u8], output: &mut Vec<u8>) -> Result<(), Refusal> {
    output.push(tag);
    let length = u32::try_from(value.len()).map_err(|_| Refusal::TooLarge)?;
    if length < 0x80 {
        output.push(length.to_be_bytes()[3]);
    } else {
        let bytes = length.to_be_bytes();
        let skip = bytes.iter().take_while(|byte| **byte == 0).count();
        output.push(0x80 | u8::try_from(bytes.len() - skip).map_err(|_| Refusal::TooLarge)?);
        output.extend_from_slice(&bytes[skip..]);
    }
    output.extend_from_slice(value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn der_stays_as_it_is() {
        let der = hex::decode("300d0c0161300802010004030102ff").unwrap();
        assert_eq!(to_der(&der), Ok(der));
    }

    #[test]
    fn indefinite_lengths_and_segments_are_joined() {
        let ber = hex::decode("3080a08024800402616204016324800401640000000000000000").unwrap();
        assert_eq!(to_der(&ber), Ok(hex::decode("3008a006040461626364").unwrap()));
        let long_form = hex::decode("30820003020101").unwrap();
        assert_eq!(to_der(&long_form), Ok(hex::decode("3003020101").unwrap()));
    }

    #[test]
    fn broken_input_is_refused() {
        for bad in [
            "",
            "30",
            "3080",
            "308002",
            "30800201010",
            "0480",
            "0000",
            "1f8101",
            "3003020101ff",
            "2403020101",
        ] {
            let bytes = hex::decode(format!("{bad}{}", if bad.len() % 2 == 1 { "0" } else { "" })).unwrap();
            assert_eq!(to_der(&bytes), Err(Refusal::Malformed), "{bad}");
        }
        assert_eq!(to_der(&vec![0x30; MAX_LEN + 1]), Err(Refusal::TooLarge));
        assert_eq!(to_der(&[0x30, 0x80].repeat(1000)), Err(Refusal::TooLarge));
        assert_eq!(to_der(&[0x24, 0x80].repeat(1000)), Err(Refusal::TooLarge));
    }
}
