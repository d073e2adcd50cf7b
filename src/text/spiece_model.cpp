#include "t2v/error.h"
#include "text/tokenizer_readers.h"
namespace t2v {
std::unique_ptr<Tokenizer> open_spiece_model(const std::filesystem::path& file) {
  throw Error(ErrorCode::kInput, {.doing = "reading " + file.string(), .expected = "a tokenizer.json"});
}
}  // namespace t2v
