//! JSON text from Rust literals.

use syn::{Error, Expr, ExprUnary, Lit, UnOp};

/// A JSON string.
pub fn string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// JSON for a literal, a negative number, a list of them, or `{}`.
pub fn literal(expression: &Expr) -> syn::Result<String> {
    match expression {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Ok(string(&text.value())),
            Lit::Bool(truth) => Ok(truth.value.to_string()),
            Lit::Int(number) => Ok(number.base10_digits().to_owned()),
            Lit::Float(number) => Ok(number.base10_digits().to_owned()),
            other => Err(Error::new_spanned(other, "expected a number, a text, true or false")),
        },
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => Ok(format!("-{}", literal(expr)?)),
        Expr::Array(array) => {
            let items = array.elems.iter().map(literal).collect::<syn::Result<Vec<_>>>()?;
            Ok(format!("[{}]", items.join(",")))
        }
        Expr::Block(block) if block.block.stmts.is_empty() => Ok("{}".to_owned()),
        other => Err(Error::new_spanned(
            other,
            "expected a number, a text, true, false, a list `[…]` of them, or `{}`; `default_json = \"…\"` takes any JSON",
        )),
    }
}
