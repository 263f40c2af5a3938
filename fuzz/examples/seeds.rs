//! Writes the initial corpora of the targets from the test fixtures: `seeds <repository> <corpus>`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use llmscope_core::ingest::{self, Tool};

/// The folders of logs and recorded answers.
const FIXTURES: [&str; 3] = ["llmscope-core/tests/logs", "llmscope-harness/tests", "examples/sessions"];
/// Larger files would slow the fuzzer down.
const LARGEST_BYTES: u64 = 64 << 10;

fn main() -> io::Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(repository), Some(corpus)) = (arguments.next(), arguments.next()) else {
        return Err(io::Error::other("usage: seeds <repository> <corpus>"));
    };
    for target in ["read_log", "read_as", "stream", "session", "framer"] {
        fs::create_dir_all(corpus.join(target))?;
    }
    let mut files = Vec::new();
    for folder in FIXTURES {
        gather(&repository.join(folder), &mut files)?;
    }
    for (number, file) in files.iter().enumerate() {
        let bytes = fs::read(file)?;
        let ending = file.extension().unwrap_or_default().to_string_lossy().into_owned();
        let name = format!("seed-{number}.{ending}");
        let put = |target: &str, name: &str, bytes: &[u8]| fs::write(corpus.join(target).join(name), bytes);
        put("read_log", &name, &bytes)?;
        put("stream", &name, &bytes)?;
        if let Ok(log) = ingest::read("log", &bytes, None) {
            let place = Tool::ALL.iter().position(|tool| *tool == log.tool).and_then(|place| u8::try_from(place).ok());
            put("read_as", &name, &[&[place.unwrap_or_default()], &bytes[..]].concat())?;
            if log.tool == Tool::LLMSCOPE {
                put("session", &name, &bytes)?;
            }
        }
        for framing in 0..3_u8 {
            put("framer", &format!("{framing}-{name}"), &[&[framing, 64], &bytes[..]].concat())?;
        }
    }
    // There may be no fixture of a session.
    let session = "{\"kind\":\"session\",\"schema\":\"llmscope.session/1\"}\n{\"kind\":\"request\",\"ttft_s\":0.25}\n";
    fs::write(corpus.join("session/seed.jsonl"), session)?;
    fs::write(corpus.join("stream/seed.csv"), "model,ttft_s\nsmall,0.25\nlarge,0.5\n")
}

/// Collects the files of a folder and its subfolders.
fn gather(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_source = path.extension().is_some_and(|ending| ending == "rs" || ending == "md" || ending == "py");
        if path.is_dir() {
            gather(&path, files)?;
        } else if !is_source && fs::metadata(&path)?.len() <= LARGEST_BYTES {
            files.push(path);
        }
    }
    files.sort();
    Ok(())
}
