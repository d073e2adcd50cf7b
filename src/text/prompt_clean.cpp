#include "text/prompt_clean.h"
namespace t2v {
std::string prompt_clean(std::string_view text) { return std::string(text); }
}  // namespace t2v
