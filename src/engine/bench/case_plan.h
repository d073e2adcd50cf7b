#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "engine/bench/bench_clip.h"
#include "engine/bench/bench_networks.h"

namespace t2v {

/// The folder on the disk where models are written; it need not be there yet. "" if there is none.
std::filesystem::path bench_folder();
/// Bytes that are free for it; 0 if there is none.
uint64_t bench_room();

/// What a case takes, told from shapes alone.
struct CasePlan {
  int64_t tokens = 0;        ///< 0 where there are none
  int64_t blocks = 0;        ///< that are computed or stored in place of all; 0: all
  double memory = 0;         ///< bytes on the device
  uint64_t disk = 0;         ///< bytes of the file that is written, read and removed
  std::string note = "";     ///< "one block x 40"
  std::string refusal = "";  ///< why it cannot be run here; "" if it can
};
CasePlan plan_case(const BenchSpec& spec, const BenchSetting& setting);

}  // namespace t2v
