//! A JSON Schema as a constant that the compiler writes out as bytes.

/// The members of a schema object, without the braces around them, so that the field that holds it
/// can add its own. Pieces in order; none is empty unless all are.
#[derive(Debug, Clone, Copy)]
pub struct Schema(
    /// In order.
    pub &'static [Part],
);

/// A piece of a schema.
#[derive(Debug, Clone, Copy)]
pub enum Part {
    /// JSON text as it is.
    Text(&'static str),
    /// The members of another schema, without braces.
    Members(&'static Schema),
}

impl Schema {
    /// Bytes of its members.
    const fn length(&self) -> usize {
        let mut length = 0;
        let mut parts = self.0;
        while let [part, rest @ ..] = parts {
            length += match part {
                Part::Text(text) => text.len(),
                Part::Members(schema) => schema.length(),
            };
            parts = rest;
        }
        length
    }

    /// Bytes of the whole object.
    #[doc(hidden)]
    pub const fn object_length(&self) -> usize {
        self.length() + 2
    }

    /// The whole object as JSON text; `N` is its [`object_length`](Self::object_length).
    #[doc(hidden)]
    pub const fn object_bytes<const N: usize>(&self) -> [u8; N] {
        let mut out = [b'{'; N];
        let end = self.write(&mut out, 1);
        put(&mut out, end, b'}');
        out
    }

    const fn write(&self, out: &mut [u8], mut at: usize) -> usize {
        let mut parts = self.0;
        while let [part, rest @ ..] = parts {
            match part {
                Part::Text(text) => {
                    let mut bytes = text.as_bytes();
                    while let [byte, rest @ ..] = bytes {
                        put(out, at, *byte);
                        at += 1;
                        bytes = rest;
                    }
                }
                Part::Members(schema) => at = schema.write(out, at),
            }
            parts = rest;
        }
        at
    }

    /// The whole object as JSON text.
    pub fn json(&self) -> String {
        fn push(schema: &Schema, out: &mut String) {
            for part in schema.0 {
                match part {
                    Part::Text(text) => out.push_str(text),
                    Part::Members(schema) => push(schema, out),
                }
            }
        }
        let mut out = "{".to_owned();
        push(self, &mut out);
        out.push('}');
        out
    }
}

#[expect(clippy::indexing_slicing, reason = "runs in the compiler, where a mistake is an error of the build")]
const fn put(out: &mut [u8], at: usize, byte: u8) {
    out[at] = byte;
}
