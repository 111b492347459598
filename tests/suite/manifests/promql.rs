//! As much of PromQL as is needed to know which metrics and labels an expression names. Whether it is an expression at
//! all, promtool says.

/// A metric, the function of a range around it, and the labels that it is asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) metric: String,
    /// `rate`, `increase`, …: what stands before the parenthesis that the metric stands in.
    pub(super) function: String,
    pub(super) labels: Vec<String>,
}

/// What an expression names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) metrics: Vec<Named>,
    /// The labels of each `by (…)`, from left to right.
    pub(super) by: Vec<Vec<String>>,
}

#[derive(Debug, PartialEq)]
enum Token {
    Word(String),
    Mark(char),
}

/// Words and marks; texts, numbers, ranges in brackets and the placeholders of templates are left out.
fn tokens(expression: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        let skip = |end: char| rest[1..].find(end).map_or(rest.len(), |at| at + 2);
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        let length = match first {
            '"' => skip('"'),
            '[' => skip(']'),
            '<' if rest.starts_with("<<") => rest.find(">>").map_or(rest.len(), |at| at + 2),
            c if word(c) => {
                let length = rest.find(|c| !word(c)).unwrap_or(rest.len());
                if !c.is_ascii_digit() {
                    tokens.push(Token::Word(rest[..length].to_owned()));
                }
                length
            }
            c => {
                if !c.is_whitespace() {
                    tokens.push(Token::Mark(c));
                }
                c.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    tokens
}

/// The metrics and labels that an expression names.
pub(super) fn names(expression: &str) -> Names {
    let mut names = Names::default();
    let mut functions = vec![String::new()];
    let tokens = tokens(expression);
    let mut at = 0;
    // The words up to a closing mark.
    let group = |from: usize, end: char| {
        let inside = tokens[from..].iter().take_while(|token| **token != Token::Mark(end));
        let words = inside.clone().filter_map(|token| match token {
            Token::Word(word) => Some(word.clone()),
            Token::Mark(_) => None,
        });
        (words.collect::<Vec<_>>(), from + inside.count() + 1)
    };
    while at < tokens.len() {
        let next = tokens.get(at + 1);
        match &tokens[at] {
            Token::Word(word) if ["by", "without", "ignoring", "on"].contains(&word.as_str()) => {
                let (labels, after) = group(at + 2, ')');
                if word == "by" {
                    names.by.push(labels);
                }
                at = after;
                continue;
            }
            Token::Word(word) if next == Some(&Token::Mark('(')) => {
                functions.push(word.clone());
                at += 1;
            }
            Token::Word(word) if next == Some(&Token::Mark('{')) => {
                let (labels, after) = group(at + 2, '}');
                let function = functions.last().cloned().unwrap_or_default();
                names.metrics.push(Named { metric: word.clone(), function, labels });
                at = after;
                continue;
            }
            Token::Word(word) if word.contains("phasor") => {
                let function = functions.last().cloned().unwrap_or_default();
                names.metrics.push(Named { metric: word.clone(), function, labels: Vec::new() });
            }
            Token::Mark('(') => functions.push(String::new()),
            Token::Mark(')') => {
                functions.pop();
            }
            _ => {}
        }
        at += 1;
    }
    names
}

#[test]
fn metrics_their_functions_and_their_labels_are_found() {
    let found = names(
        "sum by (namespace, le) (rate(phasor_a_bucket{x=\"q{\",y=~\"$pod\"}[$__rate_interval]))\n  \
         / clamp_min(namespace:phasor_b:mean5m, 0.01) > 0.05 and phasor_c{<<.LabelMatchers>>} == 0",
    );
    let named = |metric: &str, function: &str, labels: &[&str]| Named {
        metric: metric.to_owned(),
        function: function.to_owned(),
        labels: labels.iter().map(|&label| label.to_owned()).collect(),
    };
    assert_eq!(
        found.metrics,
        [
            named("phasor_a_bucket", "rate", &["x", "y"]),
            named("namespace:phasor_b:mean5m", "clamp_min", &[]),
            named("phasor_c", "", &[])
        ]
    );
    assert_eq!(found.by, [["namespace", "le"]]);
}
