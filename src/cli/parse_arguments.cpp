#include "parse_arguments.h"

#include <algorithm>
#include <cctype>

#include <CLI/CLI.hpp>

#include "cli/flags/given_flags.h"
#include "commands.h"
#include "t2v/error.h"
#include "t2v/text.h"

namespace t2v {
namespace {

using Groups = std::vector<FlagGroup>;

std::string see_help(const Command& command) {
  return (is_default(command) ? "t2v" : "t2v " + command.name) + " --help lists the flags";
}

[[noreturn]] void refuse(const std::string& doing, const std::string& got, const std::string& expected,
                         const std::string& advice) {
  throw Error(ErrorCode::kUsage, {.doing = doing, .got = got, .expected = expected, .advice = advice});
}

bool is_flag_like(const std::string& word) { return word.size() > 1 && word[0] == '-'; }

std::string name_of(const std::string& word) { return word.substr(0, word.find('=')); }

/// What is written after a flag that takes a value; a known flag there means that the value was forgotten.
void check_value(const Groups& groups, const std::vector<std::string>& words, size_t flag_at) {
  const std::string& flag = words[flag_at];
  const std::string expected = "a value: " + find_flag(groups, flag)->value;
  if (flag_at + 1 == words.size()) refuse(flag, "nothing after it", expected, "write it after the flag");
  const std::string& next = words[flag_at + 1];
  if (is_flag_like(next) && find_flag(groups, name_of(next)) != nullptr) {
    refuse(flag, "the flag " + name_of(next), expected,
           "write " + find_flag(groups, flag)->names[0] + "=" + next + " if that is the value");
  }
}

/// The words as CLI11 has to see them: our spelling of `_` and `-`, and an empty value after `=` as a word of
/// its own.
std::vector<std::string> normalize(const Groups& groups, const std::vector<std::string>& words) {
  std::vector<std::string> result;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string name = name_of(words[i]);
    const Flag* flag = is_flag_like(name) ? find_flag(groups, name) : nullptr;
    const bool inline_value = name.size() < words[i].size();
    if (flag == nullptr) {
      result.push_back(words[i]);
    } else if (inline_value && !flag->takes_value()) {
      const std::string value = words[i].substr(name.size() + 1);
      if (value != "true" && value != "false") refuse(name, '"' + value + '"', "true or false", "");
      result.push_back(flag->names[0] + "=" + value);
    } else if (inline_value) {
      result.push_back(flag->names[0]);
      result.push_back(words[i].substr(name.size() + 1));
    } else {
      result.push_back(flag->names[0]);
      if (!flag->takes_value()) continue;
      check_value(groups, words, i);
      result.push_back(words[++i]);
    }
  }
  return result;
}

[[noreturn]] void refuse_flag(const Command& command, const Groups& groups, const std::string& word) {
  const std::string name = name_of(word);
  const std::vector<std::string> names = flag_names(groups);
  std::string meant = closest_match(name, names);
  for (const std::string& candidate : names) {
    if (meant.empty() && name.size() > 3 && candidate.rfind(name, 0) == 0) meant = candidate;
  }
  refuse("unknown flag " + name, "", "", meant.empty() ? see_help(command) : "did you mean " + meant + "?");
}

/// The Error for a word that is neither a flag, nor the value of one, nor an operand.
[[noreturn]] void refuse_word(const Command& command, const std::string& word) {
  const bool late_command = find_command(word) != nullptr;
  refuse("command line", '"' + word + "\" after everything that t2v " + command.name + " takes",
         "another flag",
         late_command ? "the name of a command comes first: t2v " + word : "quote text that has blanks");
}

/// Adds what a flag was given on the command line: of two the last one holds, where not both count.
void add(std::vector<GivenFlag>& all, const Flag& flag, const std::string& value) {
  const std::string name = flag.names[0].substr(2);
  const auto earlier =
      std::find_if(all.begin(), all.end(), [&](const auto& item) { return item.name == name; });
  if (earlier != all.end() && flag.repeatable) {
    earlier->values.push_back(value);
    return;
  }
  if (earlier != all.end()) all.erase(earlier);
  all.push_back({name, {value}, flag.names[0]});
}

/// Splits the words into flags and their values; what belongs to no flag goes to `extras`.
std::vector<GivenFlag> split(const Groups& groups, const std::vector<std::string>& words,
                             std::vector<std::string>& extras) {
  std::vector<GivenFlag> given;
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  for (const FlagGroup& group : groups) {
    for (const Flag& flag : group.flags) {
      const std::string names = CLI::detail::join(flag.names, ",");
      const auto take = [&given, &flag](const std::string& value) { add(given, flag, value); };
      const auto turn = [take](int64_t count) { take(count > 0 ? "true" : "false"); };
      CLI::Option* option = flag.takes_value() ? app.add_option_function<std::string>(names, take)
                                               : app.add_flag_function(names, turn);
      option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)->trigger_on_parse();
    }
  }
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::ParseError& error) {
    refuse(error.what(), "", "", "");
  }
  extras = app.remaining();
  return given;
}

/// `given` and, of a command that takes a config, what that says.
std::vector<GivenFlag> with_config(const Groups& groups, const std::vector<GivenFlag>& given) {
  for (const GivenFlag& item : given) {
    if (item.name == "config") return merge(groups, given, read_config(item.values.front()));
  }
  return given;
}

void take_operands(const Command& command, const Groups& groups, const std::vector<std::string>& words) {
  for (size_t i = 0; i < words.size(); ++i) {
    if (is_flag_like(words[i])) refuse_flag(command, groups, words[i]);
    const bool again = !command.operands.empty() && command.operands.back().repeatable;
    if (i >= command.operands.size() && !again) refuse_word(command, words[i]);
    const Flag& operand = command.operands[std::min(i, command.operands.size() - 1)];
    operand.set({operand.names[0], words[i]});
  }
  for (size_t i = words.size(); i < command.operands.size(); ++i) {
    const Flag& operand = command.operands[i];
    if (!operand.fallback.empty()) continue;
    std::string wanted = operand.help;
    wanted[0] = static_cast<char>(std::tolower(wanted[0]));
    refuse(operand.names[0], "nothing", wanted, see_help(command));
  }
}

}  // namespace

const Command& parse_arguments(Invocation& invocation) {
  const std::vector<std::string>& words = invocation.words;
  const Command* named = words.empty() ? nullptr : find_command(words[0]);
  const Command& command = named != nullptr ? *named : all_commands().front();
  const Groups talking = {talking_flags(invocation)};
  Groups groups = command.flags;
  groups.push_back(talking.front());
  std::vector<std::string> extras;
  std::vector<GivenFlag> given =
      split(groups, normalize(groups, {words.begin() + (named != nullptr ? 1 : 0), words.end()}), extras);
  const bool configurable = is_configurable(command);
  apply_given(talking, known_to(talking, given));
  if (invocation.help || invocation.version) return command;
  given = merge(groups, given, given_from_environment(configurable ? groups : talking));
  apply_given(talking, known_to(talking, given));
  const bool first_is_extra = named == nullptr && !extras.empty() && extras[0] == words[0];
  if (first_is_extra && !is_flag_like(words[0])) refuse_command(words[0]);
  take_operands(command, groups, extras);
  if (configurable) given = with_config(groups, given);
  apply_given(groups, given);
  invocation.given = given;
  return command;
}

}  // namespace t2v
