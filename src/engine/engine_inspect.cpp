#include <sstream>

#include "engine/engine_errors.h"
#include "engine/engine_functions.h"
#include "engine/pipelines/registry.h"

namespace t2v {
namespace {

std::string shape_text(const std::vector<int64_t>& shape) {
  std::ostringstream text;
  text << at::IntArrayRef(shape);
  return text.str();
}

TensorDifferences compare(const Checkpoint& checkpoint, const std::string& part) {
  const Component& component = checkpoint.get(part);
  TensorList list;
  pipelines_of(checkpoint)
      .construct(find_part(*checkpoint.family, part)->network(), component.config,
                 Weights::record(list, {}, component));
  TensorDifferences differences;
  for (const auto& [name, entry] : list.tensors) {
    const auto found = component.tensors.find(name);
    if (found == component.tensors.end()) {
      if (entry.needed) differences.missing.push_back(name);
    } else if (found->second.stored.shape != entry.shape) {
      differences.misshaped.push_back(name + " " + shape_text(found->second.stored.shape) + ", expected " +
                                      shape_text(entry.shape));
    }
  }
  for (const auto& [name, source] : component.tensors) {
    if (!list.knows(name)) differences.unknown.push_back(name);
  }
  return differences;
}

}  // namespace

InspectFunctions inspect_functions() {
  return {.compare = [](const Checkpoint& checkpoint, const std::string& part) {
    return with_errors_of("inspecting", [&] { return compare(checkpoint, part); });
  }};
}

}  // namespace t2v
