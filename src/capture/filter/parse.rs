//! From the pieces of a filter to its condition.

use std::ops::Range;

use super::{
    Filter,
    error::FilterError,
    expr::Expr,
    lex::{Kind, Token, tokens},
    term::{Problem, term},
    text_test::{TextField, TextTest},
};

pub(super) fn parse(text: &str, now_ms: i64) -> Result<Filter, FilterError> {
    let fail = |at: Range<usize>, problem: Problem| FilterError {
        text: text.to_owned(),
        at,
        message: problem.message,
        choices: problem.choices,
        suggestion: problem.suggestion,
    };
    if text.len() > TEXT_MOST_BYTES {
        return Err(fail(0..0, Problem::plain("the filter is longer than 4 KiB")));
    }
    let tokens = tokens(text).map_err(|at| fail(at, Problem::plain("this quote has no end")))?;
    let mut parser = Parser { tokens: &tokens, at: 0, end: text.len(), now_ms, texts: Vec::new() };
    let expr = parser.either(0).map_err(|(at, problem)| fail(at, problem))?;
    if let Some(left) = parser.peek() {
        // Only a bracket ends the outermost level early.
        return Err(fail(left.at.clone(), Problem::plain("this bracket was never opened")));
    }
    Ok(Filter::new(expr, parser.texts))
}

type Failure = (Range<usize>, Problem);

struct Parser<'a> {
    tokens: &'a [Token],
    /// The next token.
    at: usize,
    /// Length of the text, to point behind its end.
    end: usize,
    /// For times that count back from now.
    now_ms: i64,
    /// The text tests so far; terms refer to them by number.
    texts: Vec<TextTest>,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    /// `a b | c d`: side by side binds closer than `|`.
    fn either(&mut self, depth: usize) -> Result<Expr, Failure> {
        let mut branches = vec![self.all(depth)?];
        while let Some(Token { kind: Kind::Or, at }) = self.peek() {
            self.at += 1;
            let branch = self.all(depth)?;
            if is_empty(&branch) || branches.iter().any(is_empty) {
                let message = "`|` stands between two conditions";
                return Err((at.clone(), Problem::plain(message)));
            }
            branches.push(branch);
        }
        Ok(if branches.len() == 1 { branches.remove(0) } else { Expr::Any(branches) })
    }

    /// `a b`
    fn all(&mut self, depth: usize) -> Result<Expr, Failure> {
        let mut parts = Vec::new();
        while let Some(token) = self.peek() {
            match token.kind {
                Kind::Or | Kind::Close => break,
                Kind::Open | Kind::Not | Kind::Word(_) | Kind::Term(..) => {
                    parts.push(self.one(depth)?);
                }
            }
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expr::All(parts) })
    }

    /// `a`, `-a`, `(…)`
    fn one(&mut self, depth: usize) -> Result<Expr, Failure> {
        let mut is_negated = false;
        let mut last = self.end..self.end;
        while let Some(Token { kind: Kind::Not, at }) = self.peek() {
            is_negated = !is_negated;
            last = at.clone();
            self.at += 1;
        }
        let nothing = (last, Problem::plain("nothing stands behind this `-`"));
        let token = self.peek().ok_or_else(|| nothing.clone())?;
        self.at += 1;
        let expr = match &token.kind {
            Kind::Open => self.group(&token.at, depth)?,
            Kind::Word(word) => self.word(word, &token.at)?,
            Kind::Term(name, value, value_at) => {
                let name_at = token.at.start..token.at.start + name.len();
                term(name, value, self.now_ms, &mut self.texts).map_err(|problem| {
                    let at = if problem.is_name { name_at } else { value_at.clone() };
                    (at, problem)
                })?
            }
            Kind::Close | Kind::Or | Kind::Not => return Err(nothing),
        };
        Ok(if is_negated { Expr::Not(Box::new(expr)) } else { expr })
    }

    fn group(&mut self, open: &Range<usize>, depth: usize) -> Result<Expr, Failure> {
        if depth == DEPTH_MOST {
            return Err((open.clone(), Problem::plain("the brackets are nested too deeply")));
        }
        let inside = self.either(depth + 1)?;
        match self.peek() {
            Some(Token { kind: Kind::Close, .. }) => self.at += 1,
            _ => return Err((open.clone(), Problem::plain("this bracket is never closed"))),
        }
        if is_empty(&inside) {
            return Err((open.clone(), Problem::plain("there is nothing in these brackets")));
        }
        Ok(inside)
    }

    /// A bare or quoted word.
    fn word(&mut self, word: &str, at: &Range<usize>) -> Result<Expr, Failure> {
        if word.is_empty() {
            return Err((at.clone(), Problem::plain("there is nothing between these quotes")));
        }
        self.texts.push(TextTest::new(TextField::Word, word));
        Ok(Expr::Text(self.texts.len() - 1))
    }
}

fn is_empty(expr: &Expr) -> bool {
    matches!(expr, Expr::All(parts) if parts.is_empty())
}

/// A filter comes from a URL or a text field.
const TEXT_MOST_BYTES: usize = 4096;

/// Brackets within brackets.
const DEPTH_MOST: usize = 32;
