//! What a person, or a program, is told of a scenario.

use std::{fmt::Write as _, time::Duration};

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

use super::player::{Ended, Passed, Trouble};
use crate::{
    cli::{
        exit::Failure,
        output::{Out, paint, tame},
    },
    scenario::{DiffSide, Scenario, Step},
};

/// A scenario's progress on stdout.
pub(super) struct Told<'a> {
    scenario: &'a Scenario,
    out: &'a Out,
    passed: usize,
    failed: usize,
}

impl<'a> Told<'a> {
    /// Names the scenario.
    pub(super) fn begin(scenario: &'a Scenario, out: &'a Out) -> Result<Self, Failure> {
        if !out.json {
            let about = if scenario.about.is_empty() { "" } else { ": " };
            out.line(tame(&format!("{}{about}{}", scenario.name, scenario.about)))?;
        }
        Ok(Self { scenario, out, passed: 0, failed: 0 })
    }

    /// One line for a step, and more for one that failed.
    pub(super) fn step(
        &mut self,
        number: usize,
        step: &Step,
        ended: &Ended,
        took: Duration,
    ) -> Result<(), Failure> {
        match ended {
            Ok(_) => self.passed += 1,
            Err(_) => self.failed += 1,
        }
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        if self.out.json {
            return self.out.value(&as_json(self.scenario, number, step, ended, ms));
        }
        let note = tame(step.note.as_deref().unwrap_or_default());
        let (mark, style) = if ended.is_ok() { ("ok  ", GOOD) } else { ("FAIL", BAD) };
        let mark = paint(mark, style, self.out.color);
        let mut text = format!("{mark} {number:>3} {}  {note}  {ms} ms", tame(&step.title()));
        if let Err(trouble) = ended {
            text.push_str(&self.trouble(step, trouble));
        }
        self.out.line(text)
    }

    fn trouble(&self, step: &Step, trouble: &Trouble) -> String {
        let mut text =
            format!("\n     {} (line {} of the scenario)", tame(&trouble.why), step.line);
        if !trouble.lines.is_empty() {
            let _ = write!(text, "\n     - expected\n     + got");
        }
        for line in &trouble.lines {
            let style = match line.side {
                DiffSide::Both => Style::new(),
                DiffSide::Expected => BAD,
                DiffSide::Got => GOOD,
            };
            let line = format!("{} {}", line.side.sign(), tame(&line.text));
            let _ = write!(text, "\n     {}", paint(&line, style, self.out.color));
        }
        let facts = [("sent", &trouble.sent), ("answer", &trouble.answer), ("rid", &trouble.rid)];
        for (name, value) in facts {
            if let Some(value) = value {
                let _ = write!(text, "\n     {name}: {}", tame(value));
            }
        }
        text
    }

    /// The sum; how many steps failed.
    pub(super) fn end(self) -> Result<usize, Failure> {
        let all = self.scenario.steps.len();
        let left = all - self.passed - self.failed;
        if self.out.json {
            self.out.value(&json!({
                "scenario": self.scenario.name, "steps": all, "passed": self.passed,
                "failed": self.failed, "left": left, "ok": self.failed == 0,
            }))?;
        } else {
            let left = if left == 0 { String::new() } else { format!(", {left} not played") };
            let (style, failed) = match self.failed {
                0 => (GOOD, String::new()),
                failed => (BAD, format!(", {failed} failed")),
            };
            let text = format!(
                "{}: {} of {all} steps passed{failed}{left}",
                self.scenario.name, self.passed
            );
            self.out.line(paint(&tame(&text), style, self.out.color))?;
        }
        Ok(self.failed)
    }
}

fn as_json(scenario: &Scenario, number: usize, step: &Step, ended: &Ended, ms: u64) -> Value {
    let mut line = json!({
        "scenario": scenario.name, "step": number, "line": step.line, "do": step.title(),
        "note": step.note, "ok": ended.is_ok(), "ms": ms,
    });
    match ended {
        Ok(Passed { rid }) => line["rid"] = json!(rid),
        Err(trouble) => {
            let diff =
                trouble.lines.iter().map(|line| format!("{} {}", line.side.sign(), line.text));
            line["why"] = json!(trouble.why);
            line["diff"] = diff.collect();
            line["sent"] = json!(trouble.sent);
            line["answer"] = json!(trouble.answer);
            line["rid"] = json!(trouble.rid);
        }
    }
    line
}

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
