//! One small file for each format, and the errors for invalid ones.

use proptest::prelude::*;

use super::*;

fn of(text: &str) -> Workload {
    read(&Source::of(text), 1).unwrap()
}

fn error(text: &str) -> String {
    read(&Source::of(text), 1).unwrap_err().to_string()
}

/// Number of words and punctuation marks of the prompt, and the output tokens.
fn sizes(workload: &Workload) -> Vec<(usize, Option<u32>)> {
    let marks = |text: &str| text.chars().filter(char::is_ascii_punctuation).count();
    let turns = workload.conversations.iter().map(|one| &one.turns[0]);
    turns.map(|turn| (turn.text.split_whitespace().count() + marks(&turn.text), turn.output_tokens)).collect()
}

#[test]
fn llmscope() {
    let workload = of(concat!(
        "{\"at_s\": 0.5, \"prompt\": \"Why so?\", \"output_tokens\": 8, \"label\": \"a\"}\n",
        "{\"at_s\": 1, \"input_tokens\": 100, \"output_tokens\": 9, \"label\": \"b\"}\n",
        "{\"at_s\": 1, \"messages\": [{\"role\": \"user\", \"content\": \"How\"}]}\n",
        "{\"at_s\": 2.25, \"input_tokens\": 1}\n",
    ));
    assert_eq!(workload.arrivals_s.as_deref(), Some(&[0.5, 1.0, 1.0, 2.25][..]));
    assert_eq!(sizes(&workload), [(3, Some(8)), (100, Some(9)), (1, None), (1, None)]);
    assert_eq!(workload.conversations[0].turns[0].text, "Why so?");
    assert_eq!(workload.conversations[1].label.as_deref(), Some("b"));
    assert_eq!(workload.warnings, Vec::<String>::new());
}

#[test]
fn mooncake() {
    let workload = of(concat!(
        "{\"timestamp\": 27000, \"input_length\": 1100, \"output_length\": 52, \"hash_ids\": [46, 47, 48]}\n",
        "{\"timestamp\": 30500, \"input_length\": 1300, \"output_length\": 26, \"hash_ids\": [46, 47, 49]}\n",
        "{\"timestamp\": 30500, \"input_length\": 1300, \"output_length\": 26, \"hash_ids\": [46]}\n",
    ));
    assert_eq!(workload.arrivals_s.as_deref(), Some(&[0.0, 3.5, 3.5][..]));
    assert_eq!(sizes(&workload), [(1100, Some(52)), (1300, Some(26)), (1300, Some(26))]);
    let words = |number: usize| workload.conversations[number].turns[0].text.split(' ').collect::<Vec<_>>();
    let shared = |one: usize, other: usize| words(one).iter().zip(words(other)).take_while(|(a, b)| *a == b).count();
    assert!((1024..1034).contains(&shared(0, 1)), "{}", shared(0, 1));
    assert!((512..522).contains(&shared(0, 2)), "{}", shared(0, 2));
}

#[test]
fn azure() {
    let workload = of(concat!(
        "TIMESTAMP,ContextTokens,GeneratedTokens\r\n",
        "2023-11-16 18:17:03.9799600,4808,10\r\n",
        "2023-11-16 18:17:04.0319600,3180,8\r\n",
    ));
    let arrivals_s = workload.arrivals_s.clone().unwrap();
    assert!(arrivals_s[0] == 0.0 && (arrivals_s[1] - 0.052).abs() < 1e-12, "{arrivals_s:?}");
    assert_eq!(sizes(&workload), [(4808, Some(10)), (3180, Some(8))]);
    let later = of("TIMESTAMP,ContextTokens,GeneratedTokens\n2024-05-10 00:00:00.009930+00:00,2162,5\n\
                    2024-05-10 02:00:01.009930+02:00,2399,6\n");
    assert_eq!(later.arrivals_s.as_deref(), Some(&[0.0, 1.0][..]));
}

#[test]
fn burst_gpt() {
    let workload = of(concat!(
        "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n",
        "5,ChatGPT,472,18,490,Conversation log\n",
        "45,ChatGPT,1087,230,1317,API log\n",
        "1106,ChatGPT,0,0,0,Conversation log\n",
        "1110,GPT-4,30,0,30,Conversation log\n",
        "1129.5,ChatGPT,1305,477,1782,Conversation log\n",
    ));
    assert_eq!(workload.arrivals_s.as_deref(), Some(&[0.0, 40.0, 1124.5][..]));
    assert_eq!(sizes(&workload), [(472, Some(18)), (1087, Some(230)), (1305, Some(477))]);
    assert_eq!(workload.conversations[1].label.as_deref(), Some("API log"));
    assert_eq!(
        workload.warnings,
        ["data/x:4: skipped, as it has no input or no output tokens; 1 other was skipped, too"]
    );
}

#[test]
fn times_out_of_order_are_sorted() {
    let workload = of(concat!(
        "{\"at_s\": 3, \"prompt\": \"d\"}\n{\"at_s\": 1, \"prompt\": \"a\"}\n",
        "{\"at_s\": 2, \"prompt\": \"b\"}\n{\"at_s\": 2, \"prompt\": \"c\"}\n",
    ));
    let texts: Vec<&str> = workload.conversations.iter().map(|one| one.turns[0].text.as_str()).collect();
    assert_eq!(texts, ["a", "b", "c", "d"]);
    assert_eq!(workload.arrivals_s.as_deref(), Some(&[1.0, 2.0, 2.0, 3.0][..]));
    assert_eq!(workload.warnings, ["data/x: 1 request out of order: sorted by time"]);
    let azure = of("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03,4,1\n2023-11-16 18:17:01,5,1\n");
    assert_eq!(azure.arrivals_s.as_deref(), Some(&[0.0, 2.0][..]));
}

#[test]
fn errors_name_the_line_and_the_field() {
    const AZURE: &str = "TIMESTAMP,ContextTokens,GeneratedTokens\n";
    const BURST: &str = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n";
    for (text, words) in [
        ("".to_owned(), "data/x: the file is empty; give JSON Lines such as"),
        ("[]".to_owned(), "data/x: there is no request; give"),
        (AZURE.to_owned(), "data/x: there is no request"),
        (format!("{BURST}5,a,0,0,0,b\n"), "data/x: none of 1 request has both input and output tokens"),
        (
            "{\"at_s\": 1, \"prompt\": \"a\"}\n{\"at_s\": -1, \"prompt\": \"a\"}".to_owned(),
            "data/x:2: at_s: expected a time",
        ),
        (
            "{\"at_s\": \"NaN\", \"prompt\": \"a\"}".to_owned(),
            "data/x:1: at_s: expected a time after the start, found \"NaN\"",
        ),
        ("{\"at_s\": 1e300, \"prompt\": \"a\"}".to_owned(), "data/x:1: at_s: expected a time"),
        ("{\"at_s\": 1}".to_owned(), "data/x:1: no prompt field among at_s"),
        (
            "{\"at_s\": 1, \"prompt\": \"\"}".to_owned(),
            "data/x:1: the prompt has no text; give a prompt, or input_tokens",
        ),
        ("{\"at_s\": 1, \"input_tokens\": 0}".to_owned(), "data/x:1: input_tokens: expected at least 1 token"),
        ("{\"prompt\": \"a\"}".to_owned(), "data/x:1: no time field among prompt; give"),
        ("{\"timestamp\": 1, \"input_length\": 3}".to_owned(), "data/x:1: output_length: the field is missing"),
        (
            "{\"timestamp\": 1, \"input_length\": 3, \"output_length\": 3, \"hash_ids\": [1.5]}".to_owned(),
            "data/x:1: hash_ids: expected a list of whole numbers",
        ),
        ("[1]".to_owned(), "data/x: [0]: expected a request, found 1"),
        ("a,b\n1,2\n".to_owned(), "data/x:1: no known trace format has the columns a, b; give"),
        (format!("{AZURE}yesterday,1,1\n"), "data/x:2: TIMESTAMP: expected a date and time, found \"yesterday\""),
        (format!("{AZURE}2023-11-16 18:17:03,1,-1\n"), "data/x:2: GeneratedTokens: expected a whole number of tokens"),
        (format!("{BURST}5,a,1,1,2,b\nNaN,a,1,1,2,b\n"), "data/x:3: Timestamp: expected a time after the start"),
        (format!("{BURST}-5,a,1,1,2,b\n"), "data/x:2: Timestamp: expected a time after the start, found \"-5\""),
        (format!("{BURST}5,a,1.5,1,2,b\n"), "data/x:2: Request tokens: expected a whole number"),
    ] {
        let message = error(&text);
        assert!(message.contains(words), "{text:?}: {message}");
    }
}

#[test]
fn a_trace_that_exceeds_memory_is_refused_before_prompts_are_generated() {
    let line = "{\"at_s\": 0, \"input_tokens\": 10000000}\n";
    assert!(error(&line.repeat(26)).contains("the prompts of 26 requests have 260000000 tokens, more than 250000000"));
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC*|[\\[\\]{}\",:;\\n\\t a-z0-9\\\\]*") {
        let _ = read(&Source::of(&text), 1);
    }

    #[test]
    fn no_row_panics(
        header in prop::sample::select(vec![
            "TIMESTAMP,ContextTokens,GeneratedTokens",
            "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type",
        ]),
        time in "[-0-9.:T +Z]{0,24}|-?[0-9]{1,4}-0[0-9]-[0-9]{2} [0-9:]{8}",
        rest in prop::collection::vec("[a-z0-9.]*(,[0-9]{0,3}){1,4}", 0..4),
    ) {
        let rows: String = rest.iter().map(|rest| format!("{time},{rest}\n")).collect();
        let _ = read(&Source::of(&format!("{header}\n{rows}")), 1);
    }

    #[test]
    fn times_ascend_and_the_seed_fixes_the_words(times in prop::collection::vec(0.0..1e6, 1..20), seed: u64) {
        let lines: String = times.iter().map(|at| format!("{{\"at_s\": {at}, \"input_tokens\": 9}}\n")).collect();
        let workload = read(&Source::of(&lines), seed).unwrap();
        prop_assert!(workload.arrivals_s.as_ref().unwrap().is_sorted());
        prop_assert_eq!(workload.arrivals_s.as_ref().unwrap().len(), workload.conversations.len());
        prop_assert_eq!(&read(&Source::of(&lines), seed).unwrap(), &workload);
    }
}
