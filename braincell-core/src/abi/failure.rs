//! Errors of recording a step, across the border and back.

use crate::stepper::StepError;
use braincell_abi::{Failure, failure};

/// The error as a plugin sends it.
pub fn to_failure(error: &StepError) -> Failure {
    let none = Failure {
        code: failure::REFUSED,
        op: 0,
        number: 0.0,
        text: "".into(),
    };
    match error {
        StepError::UnknownHandle { op, handle } => Failure {
            code: failure::UNKNOWN_HANDLE,
            op: *op as u64,
            text: handle.as_str().into(),
            ..none
        },
        StepError::Coefficient { op, value } => Failure {
            code: failure::COEFFICIENT,
            op: *op as u64,
            number: *value,
            ..none
        },
        StepError::Argument { op, reason } => Failure {
            code: failure::ARGUMENT,
            op: *op as u64,
            text: reason.as_str().into(),
            ..none
        },
        StepError::TooLong => Failure {
            code: failure::TOO_LONG,
            ..none
        },
        StepError::CommittedTwice { op } => Failure {
            code: failure::COMMITTED_TWICE,
            op: *op as u64,
            ..none
        },
        StepError::UnknownParameter(name) => Failure {
            code: failure::UNKNOWN_PARAMETER,
            text: name.as_str().into(),
            ..none
        },
        StepError::Panicked(message) => Failure {
            code: failure::PANICKED,
            text: message.as_str().into(),
            ..none
        },
        StepError::Refused(_) | StepError::Newer { .. } => Failure {
            text: error.to_string().into(),
            ..none
        },
    }
}

/// The error that a plugin sent. One of a kind that this host does not know keeps its text.
pub fn from_failure(sent: Failure) -> StepError {
    let op = usize::try_from(sent.op).unwrap_or(usize::MAX);
    let text = sent.text.into_string();
    match sent.code {
        failure::UNKNOWN_HANDLE => StepError::UnknownHandle { op, handle: text },
        failure::COEFFICIENT => StepError::Coefficient {
            op,
            value: sent.number,
        },
        failure::ARGUMENT => StepError::Argument { op, reason: text },
        failure::TOO_LONG => StepError::TooLong,
        failure::COMMITTED_TWICE => StepError::CommittedTwice { op },
        failure::UNKNOWN_PARAMETER => StepError::UnknownParameter(text),
        failure::PANICKED => StepError::Panicked(text),
        _ => StepError::Refused(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_come_back_as_they_were() {
        let (op, text) = (7, || "text".to_string());
        for error in [
            StepError::UnknownHandle { op, handle: text() },
            StepError::Coefficient {
                op,
                value: f64::INFINITY,
            },
            StepError::Argument { op, reason: text() },
            StepError::TooLong,
            StepError::CommittedTwice { op },
            StepError::UnknownParameter(text()),
            StepError::Refused(text()),
            StepError::Panicked(text()),
        ] {
            assert_eq!(from_failure(to_failure(&error)), error);
        }
        let newer = Failure {
            code: 999,
            ..to_failure(&StepError::Refused(text()))
        };
        assert_eq!(from_failure(newer), StepError::Refused(text()));
    }
}
