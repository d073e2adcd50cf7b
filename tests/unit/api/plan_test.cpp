#include "t2v/plan.h"

#include <gtest/gtest.h>

#include "t2v/bench.h"

namespace t2v {
namespace {

// A plan is made with the threads of its clip, and times with those that are asked for; a clip of the same
// process that asks for none is rendered with as many as before.
TEST(Plan, GivesTheThreadsBack) {
  GenerateRequest clip;
  clip.prompt = "a red ball";
  clip.outputs.output = "/dev/null";
  const auto device = [&](int64_t threads) {
    clip.machine.threads = threads;
    return plan(clip).device_name;  // "AMD EPYC, 2 threads"
  };
  const std::string before = device(0);
  const std::string other = device(97);
  EXPECT_TRUE(other.ends_with(", 97 threads")) << other;
  EXPECT_EQ(device(0), before);

  BenchRequest times;
  times.cases = {"t5.64"};
  times.threads = 97;
  EXPECT_EQ(plan_bench(times).threads, 97);
  EXPECT_EQ(device(0), before);
}

}  // namespace
}  // namespace t2v
