#include "families/model_info.h"

#include <nlohmann/json.hpp>

#include "t2v/error.h"

namespace t2v {

Config no_config() { return Config(nlohmann::json::object(), ""); }

bool PartInfo::has_prefix(std::string_view prefix) const {
  const auto first = tensors.lower_bound(prefix);
  return first != tensors.end() && first->first.starts_with(prefix);
}

int64_t PartInfo::size(const std::string& tensor, size_t dimension) const {
  const auto found = tensors.find(tensor);
  if (found == tensors.end()) {
    throw Error(ErrorCode::kInput,
                {.doing = "reading " + origin,
                 .got = "no tensor '" + tensor + "'",
                 .expected = "a checkpoint that has it",
                 .advice = "check that config.json and the weights belong to the same model"});
  }
  const std::vector<int64_t>& shape = found->second;
  if (dimension >= shape.size() || shape[dimension] < 1) {
    throw Error(ErrorCode::kInput, {.doing = "reading " + origin + ", tensor '" + tensor + "'",
                                    .got = std::to_string(shape.size()) + " dimensions",
                                    .expected = "more, none of them 0"});
  }
  return shape[dimension];
}

int64_t PartInfo::count_blocks(const std::string& prefix) const {
  int64_t count = 0;
  while (has_prefix(prefix + std::to_string(count) + ".")) ++count;
  return count;
}

}  // namespace t2v
