#include "batch_seeds.h"

#include <algorithm>
#include <array>
#include <limits>
#include <random>
#include <set>

#include "cli/flags/usage_error.h"
#include "shared_folder.h"

namespace t2v {
namespace {

constexpr uint64_t kMostSeeds = 100000;

/// The seed for a prompt that occurs for the `occurrence`th time: short enough to type, and the same on every
/// machine. `random` makes it another seed in another folder.
uint64_t seed_of(const std::string& prompt, uint64_t occurrence, const std::string& random) {
  const std::string text = prompt + '\0' + std::to_string(occurrence) + random;
  const std::vector<unsigned char> bytes(text.begin(), text.end());
  std::array<uint32_t, 4> mixed{};
  std::seed_seq(bytes.begin(), bytes.end()).generate(mixed.begin(), mixed.end());
  return mixed[0];
}

/// first + more, unless that is too large for a seed.
uint64_t add(uint64_t first, uint64_t more, const std::string& place, const char* flag) {
  constexpr uint64_t kLargest = std::numeric_limits<uint64_t>::max();
  if (more <= kLargest - first) return first + more;
  refuse(place + flag + ' ' + std::to_string(first), "a clip whose seed is " + std::to_string(more) + " more",
         "seeds up to " + std::to_string(kLargest), "begin with a lower one");
}

}  // namespace

std::vector<uint64_t> parse_seeds(const FlagValue& value) {
  const auto expect = [&](bool right, const std::string& expected) {
    if (!right) refuse(value.flag, '"' + value.text + '"', expected);
  };
  const auto seed = [&](const std::string& text) {
    expect(!text.empty() && text.find_first_not_of("0123456789") == std::string::npos, kDescribeSeeds);
    return *parse_seed({value.flag, text});
  };
  std::vector<uint64_t> seeds;
  for (size_t begin = 0; begin <= value.text.size();) {
    const size_t end = std::min(value.text.find(',', begin), value.text.size());
    const std::string part = value.text.substr(begin, end - begin);
    const size_t dots = part.find("..");
    const uint64_t first = seed(part.substr(0, dots));
    const uint64_t last = dots == std::string::npos ? first : seed(part.substr(dots + 2));
    expect(last >= first, kDescribeSeeds);
    expect(last - first < kMostSeeds - seeds.size(), "at most " + std::to_string(kMostSeeds) + " seeds");
    for (uint64_t count = 0; count <= last - first; ++count) seeds.push_back(first + count);
    begin = end + 1;
  }
  std::set<uint64_t> known;
  for (const uint64_t number : seeds) {
    expect(known.insert(number).second, "each seed once, not " + std::to_string(number) + " again");
  }
  return seeds;
}

std::vector<uint64_t> BatchSeeds::of_row(const RowSeeds& row, size_t count) {
  if (!row.own && !options_.seeds.empty()) return options_.seeds;
  if (row.random && random_.empty()) {
    random_ = std::to_string(random_number_of(options_.folder, /*read_only=*/options_.dry_run));
  }
  std::vector<uint64_t> seeds;
  for (size_t sample = 0; sample < count; ++sample) {
    if (!row.own && options_.seed_base) {
      const size_t before = row.row * static_cast<size_t>(options_.clips_per_row);
      seeds.push_back(add(*options_.seed_base, before + sample, row.place, "--seed-base"));
    } else if (row.seed) {
      seeds.push_back(add(*row.seed, sample, row.place, "--seed"));
    } else {
      seeds.push_back(seed_of(row.prompt, occurrences_[row.prompt]++, row.random ? random_ : ""));
    }
  }
  return seeds;
}

}  // namespace t2v
