#include "files/hub/retry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "files/hub/http.h"
#include "t2v/error.h"
#include "t2v/run.h"

namespace t2v {
namespace {

using ::testing::HasSubstr;

constexpr RetryOptions kQuick{.attempts = 3, .first_pause_seconds = 0, .stop = nullptr};

TEST(Retry, UntilItGoesWell) {
  int calls = 0;
  retry(
      kQuick, "x", [] { return 0; },
      [&] {
        if (++calls < 3) throw TransferFailed{.reason = "cut"};
      });
  EXPECT_EQ(calls, 3);
}

TEST(Retry, GivesUp) {
  int calls = 0;
  try {
    retry(
        kQuick, "downloading x", [] { return 0; },
        [&] {
          ++calls;
          throw TransferFailed{.reason = "cut"};
        });
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNetwork);
    EXPECT_THAT(error.what(), HasSubstr("downloading x: got cut (3 times)"));
  }
  EXPECT_EQ(calls, 3);
}

TEST(Retry, ProgressStartsTheCountAgain) {
  int calls = 0;
  int64_t here = 0;
  EXPECT_THROW(retry(
                   kQuick, "x", [&] { return here; },
                   [&] {
                     if (++calls <= 10) ++here;
                     throw TransferFailed{.reason = "cut"};
                   }),
               Error);
  EXPECT_EQ(calls, 12);
}

TEST(Retry, OtherErrorsComeOut) {
  int calls = 0;
  EXPECT_THROW(retry(
                   kQuick, "x", [] { return 0; },
                   [&] {
                     ++calls;
                     throw Error(ErrorCode::kOutput, {});
                   }),
               Error);
  EXPECT_EQ(calls, 1);
}

TEST(Retry, Stopped) {
  const std::atomic<bool> stop{true};
  EXPECT_THROW(retry(
                   {.attempts = 3, .first_pause_seconds = 60, .stop = &stop}, "x", [] { return 0; },
                   [] { throw TransferFailed{.reason = "cut"}; }),
               Stopped);
}

TEST(Http, ShownUrl) { EXPECT_EQ(shown_url("https://a/b?signature=secret"), "https://a/b"); }

}  // namespace
}  // namespace t2v
