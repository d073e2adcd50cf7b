#include "engine/interface/preview_comment.h"

#include "t2v/text.h"

namespace t2v {

std::string preview_comment(const GenerateRequest& request) {
  return "t2v preview of " + escape_for_display(request.output.string());
}

}  // namespace t2v
