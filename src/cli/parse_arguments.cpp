#include "parse_arguments.h"

#include <algorithm>
#include <cctype>

#include "cli/flags/command_line.h"
#include "cli/flags/usage_error.h"
#include "commands.h"
#include "core/text.h"

namespace t2v {
namespace {

using Groups = std::vector<FlagGroup>;

std::string see_help(const Command& command) {
  return (is_default(command) ? "t2v" : "t2v " + command.name) + " --help lists the flags";
}

[[noreturn]] void refuse_flag(const Command& command, const Groups& groups, const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  const std::vector<std::string> names = flag_names(groups);
  std::string meant = closest_match(name, names);
  for (const std::string& candidate : names) {
    if (meant.empty() && name.size() > 3 && candidate.starts_with(name)) meant = candidate;
  }
  refuse("unknown flag " + name, "", "", meant.empty() ? see_help(command) : "did you mean " + meant + "?");
}

/// Throws the Error for a word that is neither a flag, nor a value, nor an operand.
[[noreturn]] void refuse_word(const Command& command, const std::string& word) {
  const bool late_command = find_command(word) != nullptr;
  refuse("command line", '"' + word + "\" after everything that t2v " + command.name + " takes",
         "another flag",
         late_command ? "the name of a command comes first: t2v " + word : "quote text that has blanks");
}

void take_operands(const Command& command, const Groups& groups, const std::vector<std::string>& words) {
  for (size_t i = 0; i < words.size(); ++i) {
    if (is_flag_like(words[i])) refuse_flag(command, groups, words[i]);
    const bool again = !command.operands.empty() && command.operands.back().repeatable;
    if (i >= command.operands.size() && !again) refuse_word(command, words[i]);
    const Flag& operand = command.operands[std::min(i, command.operands.size() - 1)];
    operand.set({operand.name(), words[i]});
  }
  for (size_t i = words.size(); i < command.operands.size(); ++i) {
    const Flag& operand = command.operands[i];
    if (!operand.fallback.empty()) continue;
    std::string wanted = operand.help;
    wanted[0] = static_cast<char>(std::tolower(wanted[0]));
    refuse(operand.name(), "nothing", wanted, see_help(command));
  }
}

/// The given flags, joined with those of the config that they name.
std::vector<GivenFlag> with_config(const Groups& groups, const std::vector<GivenFlag>& given) {
  for (const GivenFlag& item : given) {
    if (item.name == "config") return merge(groups, given, read_config(item.values.front()));
  }
  return given;
}

}  // namespace

const Command& parse_arguments(Invocation& invocation) {
  const std::vector<std::string>& words = invocation.words;
  const Command* named = words.empty() ? nullptr : find_command(words[0]);
  const Command& command = named != nullptr ? *named : all_commands().front();
  const Groups general = {general_flags(invocation)};
  Groups groups = command.flags;
  groups.push_back(general.front());
  const CommandLine line =
      read_command_line(groups, {words.begin() + (named != nullptr ? 1 : 0), words.end()});
  apply_given(general, known_to(general, line.flags));
  if (invocation.help || invocation.version) return command;
  const bool configurable = is_configurable(command);
  std::vector<GivenFlag> given =
      merge(groups, line.flags, given_from_environment(configurable ? groups : general));
  apply_given(general, known_to(general, given));
  const bool unknown_command = named == nullptr && !line.other_words.empty() &&
                               line.other_words[0] == words[0] && !is_flag_like(words[0]);
  if (unknown_command) refuse_command(words[0]);
  take_operands(command, groups, line.other_words);
  if (configurable) given = with_config(groups, given);
  apply_given(groups, given);
  invocation.given = given;
  return command;
}

}  // namespace t2v
