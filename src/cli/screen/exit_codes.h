#pragma once

namespace t2v {

/// Exit code of a command that did its work, when clips of a batch failed or a comparison exceeded the user's
/// limit. Lower codes are values of ErrorCode.
inline constexpr int kExitNotPassed = 8;

/// The table of exit codes in --help.
inline constexpr const char* kExitCodes = R"(
Exit codes
  0  success                        5  out of memory, or no such device
  1  a bug in t2v                   6  numbers went wrong (NaN)
  2  wrong flag, value or prompt,   7  network error, or a download that
     or the output exists              does not match its hash
  3  an input is missing or bad     8  clips of a batch failed, or compare
  4  the output cannot be written      or bench exceeded the given limit
                                    129, 130, 141, 143  ended by a signal
)";

}  // namespace t2v
