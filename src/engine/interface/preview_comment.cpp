#include "engine/interface/preview_comment.h"

#include "core/text.h"

namespace t2v {

std::string preview_comment(const std::filesystem::path& output) {
  return "t2v preview of " + escape_for_display(output.string());
}

}  // namespace t2v
