//! As much of the shell's grammar as it takes to see which programs a script calls: words,
//! quotes, and what separates commands. It runs and expands nothing.

/// Splits a text into words at white space outside quotes; the quotes are taken off.
pub(super) fn words(text: &str) -> Vec<String> {
    commands_with(text, &|_| false).into_iter().flatten().collect()
}

/// The same, with the quotes left on.
pub(super) fn words_as_written(text: &str) -> Vec<&str> {
    let mut quote = None;
    let mut escaped = false;
    text.split(|character: char| {
        let splits = quote.is_none() && !escaped && character.is_whitespace();
        match quote {
            _ if escaped => {}
            Some(open) if open == character => quote = None,
            None if matches!(character, '"' | '\'') => quote = Some(character),
            _ => {}
        }
        escaped = !escaped && character == '\\' && quote != Some('\'');
        splits
    })
    .filter(|word| !word.is_empty())
    .collect()
}

/// The simple commands of a script with their words, in the order they are written. Keywords such
/// as `if`, variables set for one command and `sudo` are not part of them.
pub(crate) fn commands(script: &str) -> Vec<Vec<String>> {
    let separates = |character: char| matches!(character, ';' | '&' | '|' | '\n' | '(' | ')');
    let commands = commands_with(script, &separates).into_iter().map(without_prefix);
    commands.filter(|command| !command.is_empty()).collect()
}

fn commands_with(text: &str, separates: &dyn Fn(char) -> bool) -> Vec<Vec<String>> {
    let mut splitter = Splitter::default();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match (splitter.quote, character) {
            (Some(quote), _) if character == quote => splitter.quote = None,
            (Some('\''), _) => splitter.word.push(character),
            (_, '\\') => match characters.next() {
                // An escaped line break is none at all.
                Some('\n') | None => {}
                Some(escaped) => splitter.push_escaped(escaped),
            },
            (Some(_), _) => splitter.word.push(character),
            (None, '\'' | '"') => (splitter.quote, splitter.in_word) = (Some(character), true),
            (None, '#') if !splitter.in_word && separates('\n') => {
                while characters.next_if(|next| *next != '\n').is_some() {}
            }
            (None, _) if separates(character) => splitter.end_command(),
            (None, _) if character.is_whitespace() => splitter.end_word(),
            (None, _) => splitter.push(character),
        }
    }
    splitter.end_command();
    splitter.commands
}

#[derive(Default)]
struct Splitter {
    quote: Option<char>,
    in_word: bool,
    word: String,
    command: Vec<String>,
    commands: Vec<Vec<String>>,
}

impl Splitter {
    fn push(&mut self, character: char) {
        self.in_word = true;
        self.word.push(character);
    }

    /// In double quotes a backslash that escapes nothing stands for itself.
    fn push_escaped(&mut self, character: char) {
        if self.quote.is_some() && !matches!(character, '"' | '\\' | '$' | '`') {
            self.push('\\');
        }
        self.push(character);
    }

    fn end_word(&mut self) {
        if self.in_word {
            self.command.push(std::mem::take(&mut self.word));
            self.in_word = false;
        }
    }

    fn end_command(&mut self) {
        self.end_word();
        if !self.command.is_empty() {
            self.commands.push(std::mem::take(&mut self.command));
        }
    }
}

fn without_prefix(mut command: Vec<String>) -> Vec<String> {
    const WORDS: [&str; 14] =
        ["if", "then", "else", "elif", "do", "while", "until", "!", "{", "}", "time", "exec", "sudo", "env"];
    let is_prefix = |word: &String| WORDS.contains(&word.as_str()) || is_assignment(word);
    let prefix = command.iter().take_while(|word| is_prefix(word)).count();
    command.drain(..prefix);
    command
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
    })
}
