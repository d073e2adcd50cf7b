#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "engine/bench/bench_clip.h"
#include "engine/bench/bench_networks.h"

namespace t2v {

/// The folder for models that cases write; it may not exist yet. "" if no folder is on a disk.
std::filesystem::path bench_folder();
/// Free bytes for bench_folder(); 0 without one.
uint64_t bench_room();

/// Needs of a case, computed from shapes alone.
struct CasePlan {
  int64_t tokens = 0;        ///< 0 for a case without tokens
  int64_t blocks = 0;        ///< blocks that stand for all blocks; 0: all blocks run
  double memory = 0;         ///< bytes on the device
  uint64_t disk = 0;         ///< bytes of the temporary file
  std::string note = "";     ///< "one block x 40"
  std::string refusal = "";  ///< reason why the case cannot run here; "" if it can
};
CasePlan plan_case(const BenchSpec& spec, const BenchSetting& setting);

}  // namespace t2v
