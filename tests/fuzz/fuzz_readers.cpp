// Feeds damaged inputs to the readers of untrusted bytes. Whatever they are, a reader returns or throws
// t2v::Error; anything else, and anything that takes long, is a finding. For T2V_SANITIZE builds:
//
//   fuzz_readers all 600 [SEED]          every reader for 600 seconds of the processor; or the name of one
//   fuzz_readers torch 0 12345           one damaged input again

#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <fstream>

#include "mutator.h"
#include "readers.h"
#include "t2v/error.h"
#include "t2v/log.h"

extern "C" void __sanitizer_set_death_callback(void (*callback)()) __attribute__((weak));

namespace t2v {
namespace {

namespace fs = std::filesystem;

constexpr double kSlow = 2;  // seconds of the processor, sanitizers included

const char* g_reader = "";
uint64_t g_seed = 0;

/// Of the processor, which others may have meanwhile.
double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

/// What a person needs to see it again.
void tell_place() { std::fprintf(stderr, "finding: fuzz_readers %s 0 %lu\n", g_reader, g_seed); }

struct Count {
  int64_t executions = 0, accepted = 0, findings = 0;
};

/// The damaged input of a seed.
std::string input_of(const FuzzedReader& reader, uint64_t seed) {
  Mutator mutate(seed);
  const std::string& bytes = reader.corpus[mutate.below(reader.corpus.size())];
  return mutate(bytes, reader.corpus[mutate.below(reader.corpus.size())]);
}

void write(const fs::path& file, const std::string& bytes) {
  fs::remove(file);
  std::ofstream(file, std::ios::binary) << bytes;
}

void execute(const FuzzedReader& reader, uint64_t seed, const fs::path& file, Count& count) {
  g_seed = seed;
  const std::string bytes = input_of(reader, seed);
  write(file, bytes);
  const double begin = cpu_seconds();
  const int64_t before = count.findings;
  try {
    reader.read(bytes, file);
    ++count.accepted;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kBug) ++count.findings;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    ++count.findings;
  }
  if (cpu_seconds() - begin > kSlow) ++count.findings;
  if (count.findings > before) tell_place();
  ++count.executions;
}

/// Returns whether there was no finding.
bool fuzz(const FuzzedReader& reader, double seconds, uint64_t seed, const fs::path& folder) {
  g_reader = reader.name.c_str();
  const fs::path file = folder / (reader.file_name.empty() ? "input" : reader.file_name);
  Count count;
  const double begin = cpu_seconds();
  do {
    execute(reader, seed++, file, count);
  } while (cpu_seconds() - begin < seconds);
  std::printf("%-12s %9ld executions in %.0f s of the processor, %ld accepted, %ld findings\n", g_reader,
              count.executions, cpu_seconds() - begin, count.accepted, count.findings);
  std::fflush(stdout);
  return count.findings == 0;
}

int run(const std::string& name, double seconds, uint64_t seed) {
  std::string pattern = (fs::temp_directory_path() / "t2v_fuzz_XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) return 2;
  bool known = false, clean = true;
  for (const FuzzedReader& reader : fuzzed_readers()) {
    if (name != "all" && name != reader.name) continue;
    known = true;
    clean = fuzz(reader, seconds, seed, pattern) && clean;
  }
  fs::remove_all(pattern);
  if (!known) std::fprintf(stderr, "no reader of that name\n");
  return known && clean ? 0 : 1;
}

}  // namespace
}  // namespace t2v

int main(int count, char** arguments) {
  if (count < 3) {
    std::fprintf(stderr, "fuzz_readers all|READER SECONDS [SEED]\n");
    return 2;
  }
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(t2v::tell_place);
  const uint64_t seed = count > 3 ? std::stoull(arguments[3]) : 1;
  return t2v::run(arguments[1], std::stod(arguments[2]), seed);
}
