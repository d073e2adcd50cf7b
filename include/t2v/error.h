#pragma once

#include <exception>
#include <string>

namespace t2v {

/// Kind of a failure. Its value is the exit code of the command. describe() gives its meaning.
enum class ErrorCode : int {
  kBug = 1,
  kUsage = 2,
  kInput = 3,
  kOutput = 4,
  kResource = 5,
  kNumbers = 6,
  kNetwork = 7,
};

/// "an input is missing or bad"; "" for a value that is no ErrorCode.
const char* describe(ErrorCode code);

/// The only exception for failures that leaves t2v. It has four parts: the action, the value, the expected
/// value, and advice.
class Error : public std::exception {
 public:
  /// Any part may be empty. Control characters and bytes that are not UTF-8 are escaped, so a message is one
  /// line.
  struct Parts {
    std::string doing = {};     ///< "reading model.safetensors"
    std::string got = {};       ///< "a header of 9 bytes in a file of 7"
    std::string expected = {};  ///< "a header that ends inside the file"
    std::string advice = {};    ///< "download the file again"
  };

  Error(ErrorCode code, const Parts& parts);
  ~Error() override;

  ErrorCode code() const noexcept { return code_; }
  /// One line: "DOING: got GOT, expected EXPECTED; ADVICE".
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  ErrorCode code_;
  std::string message_;
};

}  // namespace t2v
