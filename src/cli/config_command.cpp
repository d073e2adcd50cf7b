#include <algorithm>
#include <memory>

#include <nlohmann/json.hpp>

#include "cli/flags/generate_flags.h"
#include "cli/screen/streams.h"
#include "commands.h"
#include "core/text.h"
#include "t2v/checker.h"

namespace t2v {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kDescription =
    R"(t2v config: the values that a clip would be rendered with, and where each value
comes from.

Examples
  t2v config
  t2v config --steps 20 --aspect 16:9
  T2V_STEPS=20 t2v config --json

Usage
  t2v config [flags of generate]
)";

constexpr const char* kNotes = R"(
A value comes from the first of these that has it: the flag; the variable with
its name (T2V_STEPS for --steps); the file of --config; the preset of the model;
the model itself.

Standard output with --json:
  {"values": {FLAG: {"value": VALUE, "from": PLACE}, ...}, "preset": PATH,
   "unused": [the variables that begin with T2V_ and name no flag]}
)";

struct Row {
  std::string name;
  Json value;
  std::string from;
};

std::string key_of(const std::string& flag_name) {
  std::string key = flag_name.substr(2);
  std::replace(key.begin(), key.end(), '-', '_');
  return key;
}

/// The setting of a flag, which may stand under any of its names; null for none.
Json setting_of(const Json& settings, const Flag& flag) {
  for (const std::string& name : flag.names) {
    if (name.size() > 2 && settings.contains(key_of(name))) return settings[key_of(name)];
  }
  return nullptr;
}

/// The last given flag that decides the value of `flag`; nullptr for none.
const GivenFlag* source_of(const std::vector<FlagGroup>& groups, const std::vector<GivenFlag>& given,
                           const Flag& flag) {
  const GivenFlag* source = nullptr;
  for (const GivenFlag& item : given) {
    const Flag* given_flag = find_flag(groups, "--" + item.name);
    if (given_flag == nullptr) continue;
    const auto& decided = given_flag->decides;
    const bool decides = std::find(decided.begin(), decided.end(), flag.name()) != decided.end();
    if (given_flag == &flag || decides) source = &item;
  }
  return source;
}

/// The rows of the table: the settings of a checked request; for flags that are not settings, the given or
/// the default value.
class ValueTable {
 public:
  ValueTable(const std::vector<FlagGroup>& groups, const std::vector<GivenFlag>& given,
             const std::string& settings, const std::filesystem::path& preset)
      : groups_(groups), given_(given), preset_(read_config(preset)), settings_(Json::parse(settings)) {}

  std::vector<Row> rows() const {
    std::vector<Row> rows;
    for (const FlagGroup& group : groups_) {
      for (const Flag& flag : group.flags) {
        Row row = row_of(flag);
        if (!row.value.is_null()) rows.push_back(std::move(row));
      }
    }
    return rows;
  }

 private:
  Row row_of(const Flag& flag) const {
    const GivenFlag* source = source_of(groups_, given_, flag);
    Row row{key_of(flag.name()), setting_of(settings_, flag), ""};
    // --size has no row: its rows are width and height.
    if (row.value.is_null() && !flag.decides.empty()) return row;
    if (row.value.is_null() && source != nullptr) {
      row.value = source->values.size() == 1 ? Json(source->values[0]) : Json(source->values);
    }
    const bool has_default = !flag.fallback.empty() && flag.fallback != kModelDefault;
    if (row.value.is_null() && has_default) row.value = flag.fallback;
    row.from = source != nullptr ? place_of(*source) : place_of_default(flag);
    return row;
  }

  std::string place_of_default(const Flag& flag) const {
    if (const GivenFlag* source = source_of(groups_, preset_, flag)) return place_of(*source);
    return flag.fallback == kModelDefault ? "the model" : "default";
  }

  const std::vector<FlagGroup>& groups_;
  const std::vector<GivenFlag>& given_;
  std::vector<GivenFlag> preset_;
  Json settings_;
};

/// The columns of `text` on a terminal; a letter of most Asian scripts has two.
size_t columns(const std::string& text) {
  size_t count = 0;
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if ((byte & 0xC0) != 0x80) count += byte >= 0xE1 ? 2 : 1;
  }
  return count;
}

/// At most `most` columns of `text`.
std::string shortened(const std::string& text, size_t most) {
  if (columns(text) <= most) return text;
  std::string cut = text;
  while (columns(cut) + 3 > most || !is_valid_utf8(cut)) cut.pop_back();
  return cut + "...";
}

std::string table_of(const std::vector<Row>& rows) {
  constexpr size_t kWidestValue = 32;
  std::vector<std::string> values;
  size_t widest_name = 0, widest_value = 0;
  for (const Row& row : rows) {
    const bool plain = row.value.is_string() && row.value != "";
    const std::string text = plain ? row.value.get<std::string>() : row.value.dump();
    values.push_back(shortened(escape_for_display(text), kWidestValue));
    widest_name = std::max(widest_name, row.name.size());
    widest_value = std::max(widest_value, columns(values.back()));
  }
  std::string table;
  for (size_t i = 0; i < rows.size(); ++i) {
    table += rows[i].name + std::string(widest_name - rows[i].name.size() + 2, ' ');
    table += values[i] + std::string(widest_value - columns(values[i]) + 2, ' ') + rows[i].from + '\n';
  }
  return table;
}

/// The request with placeholders for the prompt and the output, without which check() fails.
GenerateRequest checkable(const GenerateArguments& arguments) {
  GenerateRequest request = arguments.request;
  if (request.prompt.empty()) request.prompt = "a clip";
  request.outputs.output = "/dev/null";
  request.outputs.save_latents.clear();
  return request;
}

int show(const Invocation& invocation, const GenerateArguments& arguments,
         const std::vector<FlagGroup>& groups) {
  const CheckedRequest checked = check(checkable(arguments));
  Json settings = Json::parse(settings_of(checked));
  if (!arguments.request.sampling.seed) settings.erase("seed");
  if (arguments.request.prompt.empty()) settings.erase("prompt");
  const std::vector<Row> rows = ValueTable(groups, invocation.given, settings.dump(), checked.preset).rows();
  const std::vector<UnusedVariable> unused = unused_variables(configurable_flags());
  if (!invocation.json) {
    std::string text = table_of(rows);
    for (const UnusedVariable& variable : unused) text += variable.warning + '\n';
    return print(text);
  }
  Json values = Json::object();
  for (const Row& row : rows) values[row.name] = {{"value", row.value}, {"from", row.from}};
  Json names = Json::array();
  for (const UnusedVariable& variable : unused) names.push_back(variable.name);
  return print_json({{"values", values}, {"preset", checked.preset.string()}, {"unused", names}});
}

}  // namespace

Command config_command() {
  const auto arguments = std::make_shared<GenerateArguments>();
  const std::vector<FlagGroup> groups = generate_flags(*arguments);
  return {.name = "config",
          .summary = "Shows all values and where they come from",
          .description = kDescription,
          .notes = kNotes,
          .flags = groups,
          .run = [arguments, groups](const Invocation& invocation, Progress&) {
            return show(invocation, *arguments, groups);
          }};
}

}  // namespace t2v
