#include "t2v/convert.h"

#include <algorithm>

#include "api/checks.h"
#include "api/engine_library.h"
#include "api/locate_model.h"
#include "core/setting.h"
#include "core/staged_file.h"
#include "core/text.h"
#include "files/checkpoints/checkpoint.h"
#include "t2v/error.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

void check_word(const std::string& name, const std::string& word, const std::vector<std::string>& words) {
  if (std::find(words.begin(), words.end(), word) == words.end()) {
    usage_error(setting(name), "'" + word + "'", one_of(words));
  }
}

/// The output is a name that is free, in a folder that may be written to, and suits what is converted.
void check_output(const fs::path& output, const Checkpoint& checkpoint) {
  const std::string doing = setting("output", output.string());
  std::error_code ignored;
  if (fs::symlink_status(output, ignored).type() > fs::file_type::not_found) {
    usage_error(doing, "a name that is taken", "a new one", "choose another name");
  }
  if (is_named_like_tensors(output) && output.extension() != ".safetensors") {
    usage_error(doing, "a file of another format", "a .safetensors file, or a folder");
  }
  const fs::path parent = output.has_parent_path() ? output.parent_path() : fs::path(".");
  if (!fs::is_directory(parent, ignored))
    usage_error(doing, "no folder " + parent.string(), "one that exists");
  if (output.extension() == ".safetensors" && checkpoint.components.size() != 1) {
    usage_error(doing, "a file for " + std::to_string(checkpoint.components.size()) + " components",
                "a folder", "leave out .safetensors");
  }
  const StagedFile probe(output);  // tells whether the folder may be written to
}

/// The input of a request, everything checked that headers tell.
Checkpoint open_checked(const ConvertRequest& request) {
  if (!request.dtype.empty()) check_word("dtype", request.dtype, kConvertedDtypes);
  check_word("layout", request.layout, kLayouts);
  Checkpoint checkpoint = Checkpoint::open({.model = locate_model(request.input)});
  check_output(request.output, checkpoint);
  return checkpoint;
}

std::string reading(const ConvertRequest& request) { return "reading " + request.input.string(); }

}  // namespace

ConvertPlan plan_convert(const ConvertRequest& request) {
  const Checkpoint checkpoint = open_checked(request);
  return engine(reading(request)).conversion.plan(checkpoint, request);
}

ConvertResult convert(const ConvertRequest& request, const RunControl& control) {
  const Checkpoint checkpoint = open_checked(request);
  return engine(reading(request)).conversion.convert(checkpoint, request, control);
}

}  // namespace t2v
