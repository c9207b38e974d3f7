//! Why a file cannot be read, said in English and in Chinese.

use std::borrow::Cow;
use std::fmt;

/// A sentence in the two languages of the console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// English.
    pub en: Cow<'static, str>,
    /// Chinese.
    pub zh: Cow<'static, str>,
}

impl Said {
    /// A sentence.
    #[must_use]
    pub fn new(en: impl Into<Cow<'static, str>>, zh: impl Into<Cow<'static, str>>) -> Self {
        Self { en: en.into(), zh: zh.into() }
    }

    /// The sentence in the language that a tag such as `zh-CN` begins with; English for all that are not Chinese.
    #[must_use]
    pub fn in_language(&self, tag: &str) -> &str {
        if tag.to_ascii_lowercase().starts_with("zh") { &self.zh } else { &self.en }
    }
}

/// Why nothing of a file can be used. It says what to do and never quotes what stands in cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileProblem {
    /// A stable code, such as `FILE_ENCRYPTED`.
    pub code: &'static str,
    /// What is wrong and what to do.
    pub said: Said,
}

impl FileProblem {
    pub(crate) fn new(code: &'static str, en: impl Into<Cow<'static, str>>, zh: impl Into<Cow<'static, str>>) -> Self {
        Self { code, said: Said::new(en, zh) }
    }

    /// The container or its XML is damaged; `en` and `zh` say where.
    pub(crate) fn broken(en: impl fmt::Display, zh: impl fmt::Display) -> Self {
        Self::new(
            "FILE_BROKEN",
            format!("the file is damaged: {en}; open it in the program that made it and save it again"),
            format!("文件已损坏：{zh}；请用原来的软件打开后重新保存"),
        )
    }
}

impl fmt::Display for FileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said.en)
    }
}

impl std::error::Error for FileProblem {}
