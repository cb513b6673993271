//! Programs that answer from a list.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use super::guard;
use crate::{BoxFuture, Error, Finished, Program, Programs, Result};

/// Programs that are there, what each answers, and what they were started with.
#[derive(Clone, Default)]
pub struct ScriptedPrograms {
    answers: HashMap<String, Finished>,
    started: Arc<Mutex<Vec<Program>>>,
}

impl ScriptedPrograms {
    /// With a program that ends like that.
    #[must_use]
    pub fn with(mut self, name: &str, code: i32, stdout: &str, stderr: &str) -> Self {
        let finished =
            Finished { code: Some(code), stdout: stdout.into(), stderr: stderr.to_owned() };
        self.answers.insert(name.to_owned(), finished);
        self
    }

    /// What was started.
    pub fn started(&self) -> Vec<Program> {
        guard(&self.started).clone()
    }
}

impl Programs for ScriptedPrograms {
    fn find(&self, name: &str) -> bool {
        self.answers.contains_key(name)
    }
    fn run<'a>(&'a self, program: &'a Program) -> BoxFuture<'a, Result<Finished>> {
        guard(&self.started).push(program.clone());
        let answer = self.answers.get(&program.name).cloned();
        Box::pin(async move {
            answer.ok_or_else(|| Error::failed(format!("no program `{}`", program.name)))
        })
    }
}
