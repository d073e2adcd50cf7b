#include "files/formats/shard_index.h"

#include <set>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/file.h"
#include "t2v/error.h"

namespace t2v {
namespace {

using nlohmann::json;

constexpr int64_t kLargestIndex = 16 << 20;
constexpr int kDeepest = 64;

[[noreturn]] void refuse(const std::filesystem::path& file, const std::string& got,
                         const std::string& expected) {
  throw Error(ErrorCode::kInput, {.doing = "reading " + file.string(),
                                  .got = got.size() <= 300 ? got : got.substr(0, 300) + "...",
                                  .expected = expected,
                                  .advice = "download it again"});
}

/// json::parse, with an Error for a key that an object has twice: one of the two would be dropped in silence.
json parse_without_duplicates(const std::string& text, const std::filesystem::path& file) {
  std::vector<std::set<std::string>> keys;
  const auto check = [&](int depth, json::parse_event_t event, json& parsed) {
    if (depth > kDeepest)
      refuse(file, "lists or objects more than " + std::to_string(kDeepest) + " deep", "an index");
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end) keys.pop_back();
    if (event == json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second) {
      refuse(file, "the key '" + parsed.get<std::string>() + "' twice", "every key once");
    }
    return true;
  };
  return json::parse(text, check, /*allow_exceptions=*/false);
}

}  // namespace

std::map<std::string, std::string> read_shard_index(const std::filesystem::path& file) {
  const json index = parse_without_duplicates(read_file(file, kLargestIndex), file);
  const auto weight_map = index.is_object() ? index.find("weight_map") : index.end();
  if (!index.is_object() || weight_map == index.end() || !weight_map->is_object()) {
    refuse(file, index.is_discarded() ? "text that is not JSON" : "no weight_map",
           "an object with a weight_map");
  }
  std::map<std::string, std::string> shard_of;
  for (const auto& [name, shard] : weight_map->items()) {
    if (!shard.is_string()) refuse(file, "no file name for '" + name + "'", "a string");
    const std::string plain = shard.get<std::string>();
    if (plain.empty() || plain == "." || plain == ".." ||
        plain.find_first_of(std::string_view("/\0", 2)) != plain.npos) {
      refuse(file, "the file name '" + plain + "'", "the plain name of a file in the same folder");
    }
    shard_of.emplace(name, plain);
  }
  if (shard_of.empty()) refuse(file, "an empty weight_map", "the names of tensors");
  return shard_of;
}

}  // namespace t2v
