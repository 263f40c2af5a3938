//! One small file for each format, and the errors for invalid ones.

use proptest::prelude::*;

use super::*;

fn of(text: &str) -> Workload {
    read(&Source::of(text)).unwrap()
}

fn error(text: &str) -> String {
    read(&Source::of(text)).unwrap_err().to_string()
}

fn prompt(text: &str, output_tokens: Option<u32>) -> Conversation {
    Conversation::of_one_turn(text.to_owned(), output_tokens)
}

/// Every turn of every conversation.
fn turns(workload: &Workload) -> Vec<Vec<&str>> {
    workload.conversations.iter().map(|one| one.turns.iter().map(|turn| turn.text.as_str()).collect()).collect()
}

#[test]
fn json_lines_of_prompts() {
    let workload = of(concat!(
        "{\"prompt\": \"Why?\", \"output_tokens\": 32, \"label\": \"short\"}\n",
        "\n",
        "{\"text\": \"How?\", \"max_tokens\": 64.0, \"category\": 7, \"system\": \"Be brief.\"}\n",
        "{\"input\": \"Who?\", \"output_length\": 8, \"tier\": \"simple\", \"prompt\": null}\n",
        "{\"question\": [{\"type\": \"text\", \"text\": \"Whe\"}, {\"type\": \"text\", \"text\": \"re?\"}]}\n",
        "\"When?\"\n",
    ));
    let label = |text: &str| Some(text.to_owned());
    assert_eq!(
        workload.conversations,
        [
            Conversation { label: label("short"), ..prompt("Why?", Some(32)) },
            Conversation { label: label("7"), system: Some("Be brief.".to_owned()), ..prompt("How?", Some(64)) },
            Conversation { label: label("simple"), ..prompt("Who?", Some(8)) },
            prompt("Where?", None),
            prompt("When?", None),
        ]
    );
    assert_eq!((workload.name.as_str(), workload.arrivals_s, workload.warnings), ("x", None, vec![]));
}

#[test]
fn chats_of_openai() {
    let workload = of(concat!(
        "{\"messages\": [{\"role\": \"system\", \"content\": \"Be kind.\"},",
        "{\"role\": \"user\", \"content\": \"Hello\"},",
        "{\"role\": \"assistant\", \"content\": null}, {\"role\": \"tool\", \"content\": \"3\"},",
        "{\"role\": \"developer\", \"content\": \"And brief.\"},",
        "{\"role\": \"user\", \"content\": [{\"type\": \"text\", \"text\": \"Go on\"}]}],",
        "\"max_completion_tokens\": 9}",
    ));
    let turn = |text: &str| Turn { text: text.to_owned(), output_tokens: Some(9) };
    assert_eq!(
        workload.conversations,
        [Conversation {
            system: Some("Be kind.\n\nAnd brief.".to_owned()),
            turns: vec![turn("Hello"), turn("Go on")],
            label: None,
        }]
    );
}

#[test]
fn sharegpt() {
    let workload = of(r#"[
        {"id": "a", "conversations": [{"from": "system", "value": "Be kind."}, {"from": "human", "value": "One"},
            {"from": "gpt", "value": "1"}, {"from": "user", "value": "Two"}]},
        {"id": "b", "conversations": []},
        {"id": "c", "conversations": [{"from": "gpt", "value": "Unprompted."}]},
        {"id": "d", "conversations": [{"from": "human", "value": "Three"}]}
    ]"#);
    assert_eq!(turns(&workload), [vec!["One", "Two"], vec!["Three"]]);
    assert_eq!(workload.conversations[0].system.as_deref(), Some("Be kind."));
    assert_eq!(workload.warnings, ["data/x: [1]: skipped, as it has no text of the user; 1 other was skipped, too"]);
}

#[test]
fn chats_under_the_name_of_a_prompt() {
    assert_eq!(turns(&of("{\"prompt\": [{\"role\": \"user\", \"content\": \"Hello\"}]}")), [["Hello"]]);
}

#[test]
fn turns_of_mt_bench_and_tasks_of_alpaca() {
    let workload = of(concat!(
        "{\"question_id\": 81, \"category\": \"writing\", \"turns\": [\"Write.\", \"Rewrite.\"]}\n",
        "{\"instruction\": \"Translate.\", \"input\": \"Bonjour\", \"output\": \"Hello\"}\n",
        "{\"instruction\": \"Sing.\", \"input\": \"\"}\n",
    ));
    assert_eq!(turns(&workload), [vec!["Write.", "Rewrite."], vec!["Translate.\n\nBonjour"], vec!["Sing."]]);
    assert_eq!(workload.conversations[0].label.as_deref(), Some("writing"));
}

#[test]
fn tables() {
    let workload = of("id,Prompt,output_tokens,label,system\n1,\"Why,\nso?\",32,a,Be brief.\n2,,,,\n3,How?,64.0,,\n");
    assert_eq!(
        workload.conversations,
        [
            Conversation {
                system: Some("Be brief.".to_owned()),
                label: Some("a".to_owned()),
                ..prompt("Why,\nso?", Some(32))
            },
            prompt("How?", Some(64)),
        ]
    );
    assert_eq!(workload.warnings, ["data/x:4: skipped, as it has no text of the user"]);
    assert_eq!(turns(&of("question;label\nWhy, then?;a\n")), [["Why, then?"]]);
    assert_eq!(turns(&of("\"prompt\"\n\"Say \"\"a\"\".\"\n")), [["Say \"a\"."]]);
}

#[test]
fn plain_text() {
    let workload = of("Hello, world\n\n  She answered \"no\", and left. \nWhy?\n");
    assert_eq!(turns(&workload), [["Hello, world"], ["She answered \"no\", and left."], ["Why?"]]);
    assert_eq!(workload.warnings, ["data/x: read as plain text with one prompt per line"]);
}

#[test]
fn one_object_over_many_lines() {
    assert_eq!(turns(&of("{\n  \"prompt\": \"Why?\"\n}\n{\n  \"prompt\": \"How?\"\n}\n")), [["Why?"], ["How?"]]);
}

#[test]
fn errors_name_the_line_and_the_field() {
    for (text, words) in [
        ("", "data/x: the file is empty; give one prompt per line"),
        (" \n\n", "data/x: the file is empty"),
        ("[]", "data/x: there is no prompt; give"),
        ("prompt,label\n", "data/x: there is no prompt; give"),
        ("{\"prompt\": \" \"}\n{\"prompt\": \"\"}", "data/x: none of 2 entries has any text of the user; give"),
        (
            "{\"prompt\": \"a\"}\n{\"promt\": \"b\"}\n",
            "data/x:2: no prompt field among promt; rename a field to prompt,",
        ),
        ("{\"prompt\": 3}", "data/x:1: prompt: expected a text, found 3; put the text between quotes"),
        ("{\"prompt\": \"a\"}\n12\n", "data/x:2: expected a prompt, found 12; give"),
        ("{\"prompt\": \"a\", \"max_tokens\": 0}", "data/x:1: max_tokens: expected at least 1 token, found 0"),
        (
            "{\"prompt\": \"a\", \"max_tokens\": 1.5}",
            "data/x:1: max_tokens: expected a whole number of tokens, found 1.5",
        ),
        ("{\"prompt\": \"a\", \"max_tokens\": -1}", "data/x:1: max_tokens: expected a whole number"),
        ("{\"prompt\": \"a\", \"max_tokens\": 1e300}", "data/x:1: max_tokens: expected a whole number"),
        (
            "prompt,output_tokens\na,many\n",
            "data/x:2: output_tokens: expected a whole number of tokens, found \"many\"",
        ),
        ("prompt,output_tokens\na,1,2\n", "data/x:2: found 3 fields, expected 2 as in the header"),
        ("id,query\n1,Why?\n", "data/x:1: no prompt column among id, query; rename a column"),
        ("TIMESTAMP,ContextTokens,GeneratedTokens\n", "to replay a trace with times, read it as a trace"),
        ("{\"messages\": {}}", "data/x:1: messages: expected a list of messages"),
        ("[{\"messages\": [{\"content\": \"a\"}]}]", "data/x: [0].messages[0]: expected a message with its role"),
        ("{\"messages\": [{\"role\": \"user\"}]}", "data/x:1: messages[0]: the message has no text"),
        (
            "{\"messages\": [{\"role\": \"user\", \"content\": [{\"type\": \"image_url\"}]}]}",
            "data/x:1: messages[0].content[0]: expected a part with a text",
        ),
        ("{\"turns\": \"a\"}", "data/x:1: turns: expected a list of texts"),
        ("{\"turns\": [1]}", "data/x:1: turns[0]: expected a text"),
        ("[\"a\", 3]", "data/x: [1]: expected a prompt, found 3"),
    ] {
        let message = error(text);
        assert!(message.contains(words), "{text:?}: {message}");
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC*|[\\[\\]{}\",:;\\n\\t a-z0-9\\\\]*") {
        let _ = read(&Source::of(&text));
    }

    #[test]
    fn no_row_panics(text in "(prompt|text),(label|max_tokens|system)\n[a-z0-9\",\n]*") {
        let _ = read(&Source::of(&text));
    }

    #[test]
    fn every_prompt_is_read(prompts in prop::collection::vec("\\PC*[a-z]\\PC*", 1..8)) {
        let lines: String = prompts.iter().map(|text| format!("{}\n", serde_json::json!({ "prompt": text }))).collect();
        let workload = of(&lines);
        prop_assert_eq!(turns(&workload).concat(), prompts.iter().map(String::as_str).collect::<Vec<_>>());
    }
}
