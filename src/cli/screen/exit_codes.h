#pragma once

namespace t2v {

/// Exit code of a command that did its work, when clips of a batch failed or a comparison exceeded the user's
/// limit. Lower codes are values of ErrorCode.
inline constexpr int kExitNotPassed = 8;

}  // namespace t2v
