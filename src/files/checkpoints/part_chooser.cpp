#include "files/checkpoints/part_chooser.h"

#include <algorithm>

#include "core/log.h"
#include "core/setting.h"

namespace t2v {
namespace {

/// "two", "three", "12".
std::string count_word(size_t count) {
  if (count == 2) return "two";
  return count == 3 ? "three" : std::to_string(count);
}

template <typename Range, typename Text>
std::string joined(const Range& items, const char* between, const Text& text) {
  std::string line;
  for (const auto& item : items) line.append(line.empty() ? "" : between).append(text(item));
  return line;
}

}  // namespace

std::optional<Component> PartChooser::choose(const std::string& part, std::vector<LooseCandidate> candidates,
                                             const Component* transformer) {
  const std::optional<PartInfo> wanted = transformer ? std::optional(transformer->info()) : std::nullopt;
  const auto others =
      std::stable_partition(candidates.begin(), candidates.end(), [&](const LooseCandidate& candidate) {
        return !wanted || family_.fits(part, candidate.component.info(), &*wanted);
      });
  // A part that many models do without may belong to another model; a needed one is refused by name.
  if (others != candidates.begin() || !find_part(family_, part)->required) {
    for (auto other = others; other != candidates.end(); ++other) {
      log_verbose("passing over " + other->component.origin + ": a " + part + " of another model");
    }
    candidates.erase(others, candidates.end());
  }
  if (candidates.empty()) return std::nullopt;
  if (candidates.size() > 1) {
    const auto origin = [](const LooseCandidate& candidate) { return candidate.component.origin; };
    conflicts_.push_back(count_word(candidates.size()) + " of " + part + ": " +
                         joined(candidates, " and ", origin));
    settings_.push_back(setting(part));
    for (const PartKind& other : family_.parts()) {
      if (other.twin != part) continue;
      settings_.back() += " (or the two experts with " + setting(part) + " and " + setting(other.name) + ")";
    }
    return std::nullopt;
  }
  if (candidates.front().error) throw Error(*candidates.front().error);
  return std::move(candidates.front().component);
}

void PartChooser::expect_decided() const {
  if (conflicts_.empty()) return;
  const auto same = [](const std::string& text) { return text; };
  throw Error(ErrorCode::kInput, {.doing = "reading " + origin_,
                                  .got = joined(conflicts_, "; ", same),
                                  .expected = "one of each",
                                  .advice = "name one with " + joined(settings_, ", one with ", same)});
}

}  // namespace t2v
