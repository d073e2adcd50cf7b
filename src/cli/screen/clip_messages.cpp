#include "clip_messages.h"

#include <nlohmann/json.hpp>

namespace t2v {

std::string describe_result(const GenerateResult& result, bool json, double seconds) {
  if (!json) return result.output.string() + '\n';
  const nlohmann::ordered_json object = {{"output", result.output.string()},
                                         {"seconds", seconds},
                                         {"settings", nlohmann::ordered_json::parse(result.settings)}};
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

}  // namespace t2v
