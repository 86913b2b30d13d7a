//! Changes to encoded input: of octets, and of its structure with the lengths above put right, so that a change reaches
//! the code behind the outermost length.

/// How many changes a test tries, and from which number they come: a sample unless a campaign says otherwise
/// (`IDCHECK_TEST_FUZZ`, `IDCHECK_TEST_SEED`). The seed is printed, so that a failure can be made again.
pub struct Campaign {
    pub rounds: usize,
    pub random: Random,
}

impl Campaign {
    pub fn new(name: &str, sample: usize) -> Self {
        #[allow(clippy::disallowed_methods)]
        let given = |variable: &str| std::env::var(variable).ok().map(|text| text.parse::<u64>().unwrap());
        let rounds = given("IDCHECK_TEST_FUZZ").map_or(sample, |rounds| usize::try_from(rounds).unwrap());
        let seed = given("IDCHECK_TEST_SEED").unwrap_or(0x1dc4_ecc5).max(1);
        println!("{name}: {rounds} rounds, IDCHECK_TEST_SEED={seed}");
        Self { rounds, random: Random(seed) }
    }
}

/// xorshift64*: the same mutations in every run from the same seed.
pub struct Random(u64);

impl Random {
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let value = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(value).unwrap() % bound
    }

    /// One to four changes: in half of the cases of the structure, where there is one.
    pub fn mutate(&mut self, seed: &[u8]) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        for _ in 0..=self.below(4) {
            bytes = match parse(&bytes) {
                Some(mut nodes) if self.below(2) == 0 => {
                    self.mutate_structure(&mut nodes);
                    encode(&nodes)
                }
                _ => self.mutate_octets(bytes),
            };
        }
        bytes
    }

    /// Bits, octets, lengths, cuts, repeats.
    fn mutate_octets(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        if bytes.is_empty() {
            return bytes;
        }
        let at = self.below(bytes.len());
        let octet = u8::try_from(self.below(256)).unwrap();
        match self.below(7) {
            0 => bytes[at] ^= 1 << self.below(8),
            1 => bytes[at] = octet,
            2 => bytes[at] = [0, 0x80, 0xff, 0x30, 0x31, 0x24][self.below(6)],
            3 => bytes.truncate(at),
            4 => bytes.insert(at, octet),
            5 => drop(bytes.remove(at)),
            _ => {
                let end = (at + self.below(64)).min(bytes.len());
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
        }
        bytes
    }

    /// One element of the tree: taken out, doubled, emptied, renamed, wrapped, or replaced by another of it.
    fn mutate_structure(&mut self, nodes: &mut Vec<Node>) {
        let all = count(nodes);
        let (mut chosen, mut other) = (self.below(all), self.below(all));
        let donor = nth(nodes, &mut other).cloned();
        let Some((siblings, place)) = place_of(nodes, &mut chosen) else { return };
        match self.below(7) {
            0 => drop(siblings.remove(place)),
            1 => siblings.insert(place, siblings[place].clone()),
            2 => siblings[place].body = Body::Octets(Vec::new()),
            3 => siblings[place].tag = u8::try_from(self.below(256)).unwrap(),
            4 => {
                let inner = siblings[place].clone();
                siblings[place] =
                    Node { tag: [0x30, 0x31, 0xa0, 0x24][self.below(4)], body: Body::Nodes(vec![inner]) };
            }
            5 => siblings.rotate_left(1),
            _ => siblings[place] = donor.unwrap_or_else(|| siblings[place].clone()),
        }
    }
}

/// An element with a definite length.
#[derive(Clone)]
struct Node {
    tag: u8,
    body: Body,
}

#[derive(Clone)]
enum Body {
    Octets(Vec<u8>),
    Nodes(Vec<Node>),
}

/// The elements of an encoding; nothing where a length does not fit, is indefinite, or a tag has several octets.
fn parse(mut bytes: &[u8]) -> Option<Vec<Node>> {
    let mut nodes = Vec::new();
    while let [tag, first, rest @ ..] = bytes {
        let (length, rest) = match *first {
            short @ 0..=0x7f => (usize::from(short), rest),
            long @ 0x81..=0x83 => {
                let (octets, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
                (octets.iter().fold(0, |length, octet| length << 8 | usize::from(*octet)), rest)
            }
            _ => return None,
        };
        let (contents, after) = rest.split_at_checked(length)?;
        if tag & 0x1f == 0x1f {
            return None;
        }
        let inner = if tag & 0x20 != 0 { parse(contents) } else { None };
        let body = inner.map_or_else(|| Body::Octets(contents.to_vec()), Body::Nodes);
        nodes.push(Node { tag: *tag, body });
        bytes = after;
    }
    (bytes.is_empty() && !nodes.is_empty()).then_some(nodes)
}

fn encode(nodes: &[Node]) -> Vec<u8> {
    let mut out = Vec::new();
    for node in nodes {
        let contents = match &node.body {
            Body::Octets(octets) => octets.clone(),
            Body::Nodes(nodes) => encode(nodes),
        };
        out.push(node.tag);
        let length = contents.len().to_be_bytes();
        if let Ok(short @ 0..=0x7f) = u8::try_from(contents.len()) {
            out.push(short);
        } else {
            let octets = &length[length.iter().position(|octet| *octet != 0).unwrap()..];
            out.push(0x80 | u8::try_from(octets.len()).unwrap());
            out.extend(octets);
        }
        out.extend(contents);
    }
    out
}

fn count(nodes: &[Node]) -> usize {
    nodes.iter().map(|node| 1 + if let Body::Nodes(inner) = &node.body { count(inner) } else { 0 }).sum()
}

/// The `left`th element, outer ones before inner ones.
fn nth<'n>(nodes: &'n [Node], left: &mut usize) -> Option<&'n Node> {
    for node in nodes {
        if *left == 0 {
            return Some(node);
        }
        *left -= 1;
        if let Body::Nodes(inner) = &node.body
            && let Some(found) = nth(inner, left)
        {
            return Some(found);
        }
    }
    None
}

/// The elements among which the `left`th stands, and its place among them.
fn place_of<'n>(nodes: &'n mut Vec<Node>, left: &mut usize) -> Option<(&'n mut Vec<Node>, usize)> {
    let mut place = None;
    for (index, node) in nodes.iter().enumerate() {
        if *left == 0 {
            return Some((nodes, index));
        }
        *left -= 1;
        if let Body::Nodes(inner) = &node.body {
            let inside = count(inner);
            if *left < inside {
                place = Some(index);
                break;
            }
            *left -= inside;
        }
    }
    match &mut nodes[place?].body {
        Body::Nodes(inner) => place_of(inner, left),
        Body::Octets(_) => None,
    }
}
